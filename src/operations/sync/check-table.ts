import { checkSource } from "../../catalog/check-source.ts";
import { compareTables } from "../../catalog/compare.ts";
import { chooseKey } from "../../catalog/key.ts";
import type { TableShape } from "../../catalog/table.ts";
import type { Problem } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { Relation } from "../../model/sync.ts";

type Side = { readonly db: string; readonly shape: TableShape | undefined };

/** One table of a sync on its source and on every target that answered; pure. `key` is null when it has none. */
export function checkTable(job: {
  readonly relation: Relation;
  readonly strict: boolean;
  readonly source: Side;
  readonly targets: readonly (Side & { readonly hint: string | null })[];
}): { readonly key: readonly string[] | null; readonly problems: Problem[] } {
  const { relation, strict, source, targets } = job;
  const problems = checkSource(relation, source.shape, { db: source.db, wanted: relation.keyColumns });
  if (source.shape === undefined) return { key: null, problems };
  if (source.shape.kind === "partition") problems.push(partitionProblem(relation, source.db));
  const key = chooseKey(source.shape, relation.keyColumns)?.columns ?? null;
  for (const { db, shape, hint } of targets) {
    problems.push(...compareTables(source.shape, shape, { strict, key: key ?? [], db, hint }));
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
