import type { RunReason, RunResult } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import { prepared } from "../postgres/sql.ts";

/** A run that ended well before anybody needed to know that it had begun. */
export type DoneRun = {
  readonly reason: RunReason;
  /** Before now. */
  readonly beganMsAgo: number;
  readonly endedMsAgo: number;
  readonly result: RunResult;
  readonly settledRuns: number;
};

/** Writes rows of the history, oldest first, for runs that took no kick, in one statement. Returns their ids. */
export async function recordRuns(session: Session, syncId: string, target: string, runs: readonly DoneRun[]): Promise<number[]> {
  const rows = await session.query<{ id: number }>(
    prepared(
      "control.run-record",
      `with recorded as (
         insert into bucardo.run (sync, target, reason, started_at, ended_at, outcome, upserted, deleted, truncates, bytes_done, tables)
         select $1::uuid, $2, r.reason, pg_catalog.clock_timestamp() - r.began * interval '1 ms', pg_catalog.clock_timestamp() - r.ended * interval '1 ms',
                r.outcome, r.upserted, r.deleted, r.truncates, r.bytes, r.tables
           from pg_catalog.json_to_recordset($3::json)
                  r (place int, reason text, began float8, ended float8, outcome text, upserted bigint, deleted bigint, truncates int, bytes bigint, tables jsonb)
          order by r.place
         returning id
       ), remembered as (
         insert into bucardo.target_state (sync, target, state, last_good, settled, set_aside)
         select $1::uuid, $2, 'Idle', max(id), $4::bigint, $5 from recorded
         on conflict (sync, target) do update
           set last_good = excluded.last_good, settled = excluded.settled, set_aside = excluded.set_aside, updated_at = pg_catalog.clock_timestamp()
       )
       select id from recorded order by id`,
      [syncId, target, JSON.stringify(runs.map(rowOf)), runs.at(-1)?.settledRuns ?? null, runs.at(-1)?.result.setAside ?? 0],
    ),
  );
  return rows.map(({ id }) => id);
}

function rowOf({ reason, beganMsAgo, endedMsAgo, result }: DoneRun, place: number) {
  const { outcome, tables, bytes } = result;
  return {
    place,
    reason,
    began: beganMsAgo,
    ended: endedMsAgo,
    outcome,
    upserted: tables.reduce((sum, table) => sum + table.upserted, 0),
    deleted: tables.reduce((sum, table) => sum + table.deleted, 0),
    truncates: tables.filter((table) => table.refilled).length,
    bytes,
    tables,
  };
}
