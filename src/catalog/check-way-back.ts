import type { Problem } from "../model/error.ts";
import { displayName, firstOf } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { DatabaseFacts } from "./database.ts";
import type { SequenceShape } from "./sequence.ts";
import type { TableShape } from "./table.ts";

/** What our user lacks on a source that shall follow its own copy one day, each with the exact GRANT. Pure. */
export function checkWayBack(facts: DatabaseFacts, tables: readonly TableShape[], sequences: readonly SequenceShape[]): Problem[] {
  const user = quoteIdent(facts.user);
  const problem = (what: string, remedy: string): Problem => ({
    grade: "warning",
    db: facts.db,
    what: `${facts.user} may not ${what}`,
    remedy,
  });
  const problems: Problem[] = [];
  if (!facts.replicaRole)
    problems.push(
      problem(
        "set session_replication_role",
        facts.serverVersion >= 150000
          ? `grant set on parameter session_replication_role to ${user};`
          : `alter role ${user} superuser; (from PostgreSQL 15 on a grant is enough)`,
      ),
    );
  if (!facts.temporary)
    problems.push(problem("create temporary tables", `grant temporary on database ${quoteIdent(facts.name)} to ${user};`));
  const closed = tables.filter(({ privileges }) => !(privileges.insert && privileges.update && privileges.delete));
  if (closed.length > 0)
    problems.push(
      problem(
        `insert, update or delete on ${firstOf(closed.map(displayName), 3)}`,
        `grant insert, update, delete on ${closed.map(quoteName).join(", ")} to ${user};`,
      ),
    );
  const fixed = sequences.filter(({ privileges }) => !privileges.update);
  if (fixed.length > 0)
    problems.push(
      problem(`set ${firstOf(fixed.map(displayName), 3)}`, `grant update on sequence ${fixed.map(quoteName).join(", ")} to ${user};`),
    );
  return problems;
}
