import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Disk that the deltas of a source take. `growth` in bytes per second; `secondsLeft` until the quota, null: not in sight. */
export type SourceState = {
  readonly db: string;
  readonly bytes: number;
  readonly growth: number;
  readonly secondsLeft: number | null;
  /** What somebody should know or do. */
  readonly note: string | null;
  readonly checked: Date;
};

export async function writeSourceState(session: Session, db: string, state: Omit<SourceState, "db" | "checked">): Promise<void> {
  await session.execute(
    sql(
      "control.source-write",
      `insert into bucardo.source_state (db, bytes, growth, seconds_left, note)
       select d.name, $2, $3, $4, $5 from bucardo.db d where d.name = $1
       on conflict (db) do update
         set bytes = excluded.bytes, growth = excluded.growth, seconds_left = excluded.seconds_left, note = excluded.note,
             checked_at = pg_catalog.clock_timestamp()`,
      [db, state.bytes, state.growth, state.secondsLeft, state.note],
    ),
  );
}

export async function readSourceStates(session: Session): Promise<SourceState[]> {
  return await session.query<SourceState>(
    sql(
      "control.source-read",
      `select db, bytes, growth, seconds_left as "secondsLeft", note, checked_at as checked from bucardo.source_state order by db`,
    ),
  );
}
