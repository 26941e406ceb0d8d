import type { Lag } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, sql } from "../postgres/sql.ts";

export type Waiting = {
  readonly syncId: string;
  readonly sync: string;
  readonly target: string;
  readonly table: string;
  readonly deltas: number;
  readonly ageSeconds: number;
};

/** Deltas waiting, counted, per target and table; a table without any is absent. Age: seconds since the checkpoint was taken, an upper bound. */
export async function countDeltas(source: Session, syncIds: readonly string[] | null = null): Promise<Waiting[]> {
  return source.query<Waiting>(
    sql(
      "capture.count-deltas",
      `select sync as "syncId", sync_name as "sync", target, table_name as "table", deltas, extract(epoch from age)::float8 as "ageSeconds"
         from bucardo.pending(true, $1::uuid[])`,
      [syncIds],
    ),
  );
}

/** Of several tables together: all their deltas, the greatest age. */
export function lagOf(waiting: readonly Waiting[]): Lag {
  return {
    deltas: waiting.reduce((sum, one) => sum + one.deltas, 0),
    ageSeconds: waiting.reduce((most, one) => Math.max(most, one.ageSeconds), 0),
  };
}

/** The cheap look: which syncs have anything waiting towards which target. */
export async function somethingPending(
  source: Session,
  syncIds: readonly string[] | null = null,
): Promise<{ syncId: string; target: string }[]> {
  return source.query(
    prepared("capture.something-pending", `select distinct sync as "syncId", target from bucardo.pending(false, $1::uuid[])`, [syncIds]),
  );
}
