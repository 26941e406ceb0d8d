import { checkSource } from "../../catalog/check-source.ts";
import { compareTables } from "../../catalog/compare.ts";
import { chooseKey } from "../../catalog/key.ts";
import type { TableShape } from "../../catalog/table.ts";
import { applyTerms } from "../../catalog/terms.ts";
import type { Problem } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { Relation } from "../../model/sync.ts";
import type { Terms } from "../../model/terms.ts";
import type { Session } from "../../postgres/session.ts";

type Side = { readonly db: string; readonly shape: TableShape | undefined };

/** One table of a sync on its source and on every target that answered. `key` is null when it has none. The server is asked only for special terms. */
export async function checkTable(job: {
  /** False: there are only whole copies, for which a table needs neither key nor triggers. */
  readonly captured: boolean;
  readonly session: Session;
  readonly relation: Relation;
  readonly strict: boolean;
  readonly source: Side;
  readonly targets: readonly (Side & { readonly hint: string | null; readonly terms: Terms | undefined })[];
}): Promise<{ readonly key: readonly string[] | null; readonly problems: Problem[] }> {
  const { captured, session, relation, strict, source, targets } = job;
  const problems = checkSource(relation, source.shape, { db: source.db, wanted: relation.keyColumns, captured });
  if (source.shape === undefined) return { key: null, problems };
  if (captured && source.shape.kind === "partition") problems.push(partitionProblem(relation, source.db));
  const key = chooseKey(source.shape, relation.keyColumns)?.columns ?? null;
  for (const { db, shape, hint, terms } of targets) {
    const { table: termed, problems: own } = await applyTerms(session, source.shape, captured ? (key ?? []) : [], terms);
    const chosen = termed.readings !== null;
    problems.push(
      ...own,
      ...compareTables(termed.shape, shape, {
        strict: strict && !chosen,
        key: termed.key,
        db,
        hint,
        computed: termed.computed,
        ...(chosen && { extraColumns: "ignored" as const }),
      }),
    );
  }
  return { key, problems };
}

function partitionProblem(relation: Relation, db: string): Problem {
  return {
    grade: "error",
    db,
    table: displayName(relation),
    what: "it is a partition; its changes are captured by the partitioned table above it",
    remedy: "Add the partitioned table instead.",
  };
}
