import { compareTables } from "../../catalog/compare.ts";
import { chooseKey, refusal } from "../../catalog/key.ts";
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
  const table = displayName(relation);
  const problem = (what: string, remedy: string): Problem => ({ grade: "error", db: source.db, table, what, remedy });
  if (source.shape === undefined) {
    return { key: null, problems: [problem("the table does not exist on the source", "Create it, or take it out of the sync.")] };
  }
  const problems = sourceProblems(source.shape, problem);
  const reason = refusal(source.shape, relation.keyColumns);
  const key = chooseKey(source.shape, relation.keyColumns)?.columns ?? null;
  if (reason !== null) problems.push(problem(reason, "Add a PRIMARY KEY, or a unique index over NOT NULL columns."));
  for (const { db, shape, hint } of targets) {
    problems.push(...compareTables(source.shape, shape, { strict, key: key ?? [], db, hint }));
  }
  return { key, problems };
}

const NOT_CAPTURED: Partial<Record<TableShape["kind"], string>> = {
  foreign: "a foreign table cannot carry our triggers",
  view: "a view has no rows of its own",
  matview: "a materialized view has no rows of its own",
  partition: "it is a partition; its changes are captured by the partitioned table above it",
};

function sourceProblems(shape: TableShape, problem: (what: string, remedy: string) => Problem): Problem[] {
  const problems: Problem[] = [];
  const kind = NOT_CAPTURED[shape.kind];
  if (kind !== undefined)
    problems.push(problem(kind, shape.kind === "partition" ? "Add the partitioned table instead." : "Take it out of the sync."));
  if (shape.persistence === "t") problems.push(problem("it is a temporary table", "Take it out of the sync."));
  const { schemaUsage, select, trigger, owner } = shape.privileges;
  const missing = [schemaUsage ? null : "USAGE on its schema", select ? null : "SELECT", trigger ? null : "TRIGGER"].filter(
    (each) => each !== null,
  );
  if (!owner && missing.length > 0)
    problems.push(problem(`our role lacks ${missing.join(", ")}`, "Grant it, or connect as the owner of the table."));
  if (shape.rowSecurity)
    problems.push(problem("row level security hides rows from our role", "Connect as the owner, or give the role BYPASSRLS."));
  return problems;
}
