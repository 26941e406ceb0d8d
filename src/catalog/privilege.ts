import type { Problem } from "../model/error.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { DatabaseFacts } from "./database.ts";

/** What our user lacks on a source as a whole, each with the statement that mends it. Tables and sequences: `checkSource`, `checkSequenceSource`. */
export function checkSourceDatabase(facts: DatabaseFacts): Problem[] {
  const user = quoteIdent(facts.user);
  const problems: Problem[] = [...standby(facts)];
  if (facts.schemaOwner === null && !facts.create) {
    problems.push({
      grade: "error",
      db: facts.db,
      what: `${facts.user} may not create the schema bucardo, where the deltas go`,
      remedy: `On ${facts.db}: grant create on database ${quoteIdent(facts.name)} to ${user}; or: create schema bucardo authorization ${user};`,
    });
  }
  if (facts.schemaOwner !== null && !facts.schemaCreate) {
    problems.push({
      grade: "error",
      db: facts.db,
      what: `the schema bucardo belongs to ${facts.schemaOwner} and ${facts.user} may not create in it`,
      remedy: `On ${facts.db}: grant usage, create on schema bucardo to ${user};`,
    });
  }
  return problems;
}

/** What our user lacks on a target as a whole. Tables and sequences: `compareTables`, `compareSequences`. */
export function checkTargetDatabase(facts: DatabaseFacts): Problem[] {
  const user = quoteIdent(facts.user);
  const problems: Problem[] = [...standby(facts)];
  if (!facts.temporary) {
    problems.push({
      grade: "error",
      db: facts.db,
      what: `${facts.user} may not create temporary tables, through which rows come in`,
      remedy: `On ${facts.db}: grant temporary on database ${quoteIdent(facts.name)} to ${user};`,
    });
  }
  if (!facts.replicaRole) {
    problems.push({
      grade: "warning",
      db: facts.db,
      what: `${facts.user} may not set session_replication_role: triggers fire and foreign keys are checked for replicated rows`,
      remedy: `On ${facts.db}: ${facts.serverVersion >= 150000 ? `grant set on parameter session_replication_role to ${user};` : `alter role ${user} superuser; (from PostgreSQL 15 on a grant is enough)`}`,
    });
  }
  return problems;
}

function standby(facts: DatabaseFacts): Problem[] {
  if (!facts.inRecovery) return [];
  return [{ grade: "error", db: facts.db, what: "is a standby (in recovery)", remedy: "Register its primary." }];
}
