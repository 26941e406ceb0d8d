import type { QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Batch, RunDefinition } from "./definition.ts";
import type { Member } from "./member.ts";
import type { TablePlan } from "./plan.ts";

/** What a run carries, and the tables that are too large for it: to be copied in pieces (src/copy), and until then as the checkpoint has them. */
export type Split = { readonly batch: Batch; readonly plans: readonly TablePlan[]; readonly left: readonly QualifiedName[] };

/**
 * A run is one transaction on either side: of the tables that travel whole it takes the smallest, so many bytes together. The others stay out of it altogether,
 * and their deltas stay. `most` undefined: nobody copies in pieces; without the replica role foreign keys want all tables in their order; and pieces tell
 * nothing on where the target is a source too.
 */
export async function leaveLarge(
  source: Session,
  target: Member,
  { sync, target: name }: RunDefinition,
  batch: Batch,
  plans: readonly TablePlan[],
  most: number | undefined,
): Promise<Split> {
  const whole = plans.filter((plan) => plan.action === "recopy");
  if (most === undefined || whole.length === 0 || !target.replica || target.captured) return { batch, plans, left: [] };
  const sizes = await sizesOf(source, whole);
  const left = new Set<TablePlan>();
  let room = most;
  for (const plan of whole.toSorted((one, other) => sizes.get(one)! - sizes.get(other)!)) {
    room -= sizes.get(plan)!;
    if (room < 0) left.add(plan);
  }
  if (left.size === 0) return { batch, plans, left: [] };
  const captured = new Set([...left].map(({ table }) => table.captured));
  // Why they are to be copied may be gone from what the next run sees, if this one settles and nobody comes to copy them.
  await source.execute(
    sql(
      "replicate.owe-copy",
      "update bucardo.subscription set recopy = true where sync = $1 and target = $2 and captured_table = any ($3::int[]) and not recopy",
      [sync.id, name, [...captured]],
    ),
  );
  return {
    batch: {
      ...batch,
      tables: batch.tables.filter((table) => !captured.has(table.captured)),
      leftOut: [...batch.leftOut, ...captured],
    },
    plans: plans.filter((plan) => !left.has(plan)),
    left: [...left].map(({ table }) => table.name),
  };
}

async function sizesOf(source: Session, plans: readonly TablePlan[]): Promise<Map<TablePlan, number>> {
  const rows = await source.query<{ oid: number; bytes: number }>(
    sql("replicate.sizes", "select o::bigint as oid, coalesce(pg_table_size(o), 0)::bigint as bytes from unnest($1::oid[]) o", [
      plans.flatMap(({ table }) => table.now.leaves.map(({ oid }) => oid)),
    ]),
  );
  const sizes = new Map(rows.map(({ oid, bytes }) => [oid, bytes]));
  return new Map(plans.map((plan) => [plan, plan.table.now.leaves.reduce((sum, { oid }) => sum + (sizes.get(oid) ?? 0), 0)]));
}
