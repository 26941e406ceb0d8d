import type { Snapshot } from "../model/snapshot.ts";

/**
 * "Not visible in the checkpoint", as SQL over a delta's transaction id: begun after the snapshot, or open when it was taken.
 * Exact, and written so that an index on xid serves. Not `xid >= xmin`, which would re-read everything since the oldest open transaction; and never
 * without the second term, which finds the transactions that were open then and committed since. The upper bound needs no text: the run's own
 * REPEATABLE READ snapshot hides what is not in it.
 */
export function waits(column: string, { xmax, xip }: Snapshot): string {
  const open = xip.length === 0 ? "" : ` or ${column} = any ('{${xip.join(",")}}'::bigint[])`;
  return `(${column} >= ${xmax}${open})`;
}
