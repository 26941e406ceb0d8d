import { deltaTable } from "../capture/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Batch } from "./definition.ts";
import type { TablePlan } from "./plan.ts";

/** Of a larger run the daemon looks by itself, on another connection. */
const MOST_TABLES = 8;
const MOST_DELTAS = 10_000;

/**
 * Whether something waits again, in the tables that a small run has just carried: only a hint, by which the next run follows without the daemon's look. What
 * it overlooks the look finds.
 */
export async function moreWaits(source: Session, { snapshot }: Batch, plans: readonly TablePlan[]): Promise<boolean> {
  const deltas = plans.flatMap(({ table }) => table.generations.map((generation) => quoteName(deltaTable(table.captured, generation))));
  const large = plans.some(({ table }) => table.deltas > MOST_DELTAS);
  if (deltas.length === 0 || deltas.length > MOST_TABLES || large) return false;
  const looks = deltas.map((delta) => `exists (select from ${delta} where xid >= $1 or xid = any ($2))`);
  // Not kept by the session: there is a text for each combination of delta tables.
  const { more } = await source.one<{ more: boolean }>(
    sql("replicate.more", `select ${looks.join(" or ")} as more`, [snapshot.xmax, snapshot.xip]),
  );
  return more;
}
