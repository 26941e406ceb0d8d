import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Rows a second that ended runs carried lately. */
export type RecentRate = { readonly sync: string; readonly target: string; readonly rate: number };

/** Over the last `seconds`; of a run that took longer, its part within them. */
export async function recentRates(session: Session, seconds: number): Promise<RecentRate[]> {
  return await session.query<RecentRate>(
    sql(
      "control.rate-recent",
      `select r.sync, r.target,
              (sum((r.upserted + r.deleted)
                   * least(1, $1 / greatest(extract(epoch from r.ended_at - r.started_at)::double precision, 0.001))) / $1)::double precision as rate
         from bucardo.run r
        where r.ended_at > pg_catalog.clock_timestamp() - $1 * interval '1 second' and r.outcome <> 'empty'
        group by r.sync, r.target`,
      [seconds],
    ),
  );
}
