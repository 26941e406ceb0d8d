import { chunks } from "../base/chunks.ts";
import { deltaTable } from "../capture/name.ts";
import { waits } from "../capture/waits.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** The server plans a chain of selects in a time that grows with its square, and refuses one of some thousands. */
const COUNTED_AT_ONCE = 200;

/** A few statements for all these generations: waiting deltas by captured table. */
export async function countPending(
  source: Session,
  parts: readonly { readonly captured: number; readonly generation: number; readonly cutoff: Snapshot }[],
): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const some of chunks(parts, COUNTED_AT_ONCE)) {
    const text = some
      .map(
        ({ captured, generation, cutoff }) =>
          `select ${captured} as captured, count(*) as deltas from ${quoteName(deltaTable(captured, generation))} d where ${waits("d.xid", cutoff)}`,
      )
      .join("\nunion all ");
    const rows = await source.query<{ captured: number; deltas: number }>(sql("replicate.count-pending", text));
    for (const { captured, deltas } of rows) counts.set(captured, (counts.get(captured) ?? 0) + deltas);
  }
  return counts;
}
