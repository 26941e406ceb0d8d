import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Batch, BatchTable, LeafState, RunDefinition, Shape } from "./definition.ts";

/**
 * What a run does to one table.
 *   keys    the pending keys travel; nothing else on the target is touched
 *   refill  the table was truncated: everything on the target goes, and what is there now is among the pending keys
 *   recopy  deltas do not tell enough (rewrite, lost triggers, first copy): the whole table travels
 */
export type TablePlan = {
  readonly table: BatchTable;
  readonly action: "keys" | "refill" | "recopy";
  /** Conditions of parts that left the table or were truncated: their rows go first. */
  readonly gone: readonly string[];
  /** Parts that joined the table since the checkpoint: all their keys are pending. */
  readonly joined: readonly LeafState[];
  /** For people and logs. */
  readonly why: string;
};

/** Null: nothing to do. Pure; every table of hazards 2 and 19 is a row of its test. */
export function planTable(table: BatchTable): TablePlan | null {
  const plan = (action: TablePlan["action"], why: string, gone: string[] = [], joined: LeafState[] = []): TablePlan => ({
    table,
    action,
    gone,
    joined,
    why,
  });
  if (table.recopy) return plan("recopy", "a copy was asked for");
  const rewritten = table.before === null ? undefined : findRewritten(table.before, table.now);
  if (rewritten !== undefined) return plan("recopy", "the table was rewritten since the checkpoint");
  if (table.truncated.includes(table.oid)) return plan("refill", "the table was truncated");

  const nowOids = new Set(table.now.leaves.map((leaf) => leaf.oid));
  const left = (table.before?.leaves ?? []).filter((leaf) => !nowOids.has(leaf.oid));
  const emptied = [...table.now.leaves, ...left].filter((leaf) => table.truncated.includes(leaf.oid));
  const gone = [...new Set([...left, ...emptied])];
  if (gone.some((leaf) => !isPortable(leaf))) return plan("recopy", "a partition without a portable bound left or was truncated");

  const beforeOids = new Set((table.before ?? table.now).leaves.map((leaf) => leaf.oid));
  const joined = table.now.leaves.filter((leaf) => !beforeOids.has(leaf.oid));
  const bounds = gone.map((leaf) => leaf.bound ?? "true");
  if (table.deltas === 0 && bounds.length === 0 && joined.length === 0) return null;
  return plan("keys", table.deltas > 0 ? "keys changed" : "partitions changed", bounds, joined);
}

/**
 * ALTER TABLE that rewrites makes a new file *and* touches the columns; VACUUM FULL, CLUSTER and TRUNCATE make only a new file, and a default or a
 * comment touches only the columns. A rewrite leaves no deltas, so the target cannot follow by keys (hazard 2).
 */
function findRewritten(before: Shape, now: Shape): LeafState | undefined {
  const old = new Map(before.leaves.map((leaf) => [leaf.oid, leaf]));
  return now.leaves.find((leaf) => {
    const was = old.get(leaf.oid);
    return was !== undefined && was.filenode !== leaf.filenode && was.attributes !== leaf.attributes;
  });
}

/** The bound of a hash partition calls a function with the OID of its parent, which means nothing on another server. */
function isPortable(leaf: LeafState): boolean {
  return leaf.bound !== null && !leaf.bound.includes("satisfies_hash_partition(");
}

/** The plans of a run in the order of the sync. onetimecopy=2 looks which tables are empty on the target and not on the source. */
export async function planTables(source: Session, target: Session, definition: RunDefinition, batch: Batch): Promise<TablePlan[]> {
  const plans: TablePlan[] = [];
  const byName = new Map(batch.tables.map((table) => [`${table.name.schema}.${table.name.name}`, table]));
  for (const relation of definition.relations) {
    const table = byName.get(`${relation.name.schema}.${relation.name.name}`);
    if (relation.kind !== "table" || table === undefined) continue;
    const copy =
      definition.onetimecopy === 1 || (definition.onetimecopy === 2 && (await isEmpty(target, table)) && !(await isEmpty(source, table)));
    const plan = planTable(copy ? { ...table, recopy: true } : table);
    if (plan !== null) plans.push(plan);
  }
  return plans;
}

async function isEmpty(session: Session, table: BatchTable): Promise<boolean> {
  const { empty } = await session.one<{ empty: boolean }>(
    sql("replicate.is-empty", `select not exists (select from ${quoteName(table.name)}) as empty`),
  );
  return empty;
}
