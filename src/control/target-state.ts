import type { CopyState, Lag } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** The word that `status` shows for a target that has no open run. Stopped: nothing happens until somebody acts. Waiting: tried again by itself. */
export type TargetWord = "Idle" | "Waiting" | "Stopped" | "Paused";

export type TargetState = {
  readonly sync: string;
  readonly target: string;
  readonly state: TargetWord;
  /** Why, and what to do. */
  readonly detail: string | null;
  readonly lastGood: number | null;
  readonly lastBad: number | null;
  /** The last run that had something to do. */
  readonly lastWritten: number | null;
  readonly deltas: number | null;
  readonly lagSeconds: number | null;
  /** Rows that wait on the source to be replayed. */
  readonly setAside: number;
  /** Null: no table is copied in pieces. */
  readonly copy?: CopyState | null;
  readonly checked: Date | null;
  readonly updated: Date;
};

export async function writeTargetState(
  session: Session,
  syncId: string,
  target: string,
  state: TargetWord,
  detail: string | null,
): Promise<void> {
  await session.execute(
    sql(
      "control.state-write",
      `insert into bucardo.target_state (sync, target, state, detail)
       select s.id, $2, $3, $4 from bucardo.sync s where s.id = $1::uuid
       on conflict (sync, target) do update
         set state = excluded.state, detail = excluded.detail, updated_at = pg_catalog.clock_timestamp()`,
      [syncId, target, state, detail],
    ),
  );
}

export async function writeSetAside(session: Session, syncId: string, target: string, rows: number): Promise<void> {
  await session.execute(
    sql("control.state-set-aside", "update bucardo.target_state set set_aside = $3 where sync = $1::uuid and target = $2", [
      syncId,
      target,
      rows,
    ]),
  );
}

export async function writeLag(session: Session, syncId: string, target: string, lag: Lag): Promise<void> {
  await session.execute(
    sql(
      "control.state-lag",
      `insert into bucardo.target_state (sync, target, state, deltas, lag_seconds, checked_at)
       select s.id, $2, 'Idle', $3, $4, pg_catalog.clock_timestamp() from bucardo.sync s where s.id = $1::uuid
       on conflict (sync, target) do update
         set deltas = excluded.deltas, lag_seconds = excluded.lag_seconds, checked_at = excluded.checked_at`,
      [syncId, target, lag.deltas, lag.ageSeconds],
    ),
  );
}

export async function readTargetStates(session: Session): Promise<TargetState[]> {
  return await session.query<TargetState>(
    sql(
      "control.state-read",
      `select sync, target, state, detail, last_good as "lastGood", last_bad as "lastBad",
              (select max(r.id) from bucardo.run r where r.sync = t.sync and r.target = t.target and r.outcome = 'good') as "lastWritten", deltas, lag_seconds as "lagSeconds", set_aside as "setAside", copy,
              checked_at as checked, updated_at as updated
         from bucardo.target_state t order by sync, target`,
    ),
  );
}

/** How far the copy in pieces is; null: none is under way. */
export async function writeCopyState(session: Session, syncId: string, target: string, copy: CopyState | null): Promise<void> {
  await session.execute(
    sql(
      "control.state-copy",
      `insert into bucardo.target_state (sync, target, state, copy)
       select s.id, $2, 'Idle', $3::jsonb from bucardo.sync s where s.id = $1::uuid
       on conflict (sync, target) do update set copy = excluded.copy`,
      [syncId, target, copy === null ? null : JSON.stringify(copy)],
    ),
  );
}

export async function clearCopyState(session: Session, syncId: string, target: string): Promise<void> {
  await session.execute(
    sql(
      "control.state-copy-clear",
      "update bucardo.target_state set copy = null where sync = $1::uuid and target = $2 and copy is not null",
      [syncId, target],
    ),
  );
}

/**
 * Notes that a target has had the copy that `onetimecopy` asks for; when all targets have, also those that are inactive now, the sync's onetimecopy ends.
 * Nothing is noted when another copy was asked for since: `request` tells which one it was.
 */
export async function markCopied(session: Session, syncId: string, target: string, request: number): Promise<void> {
  await session.execute(
    sql(
      "control.state-copied",
      `with asked as (
         select id from bucardo.sync where id = $1::uuid and copy_request = $3 and onetimecopy <> 0 for update
       ),
       done as (
         update bucardo.target_state set copied = true from asked where sync = asked.id and target = $2
       )
       update bucardo.sync s set onetimecopy = 0
         from asked
        where s.id = asked.id
          and not exists (
            select from bucardo.sync_target m
              left join bucardo.target_state t on t.sync = s.id and t.target = m.target
             where m.sync = s.id and m.role = 'target' and m.target <> $2 and not coalesce(t.copied, false))`,
      [syncId, target, request],
    ),
  );
}

/** Targets that have had the copy while others of the same sync still wait for it. */
export async function copiedTargets(session: Session): Promise<{ sync: string; target: string }[]> {
  return await session.query<{ sync: string; target: string }>(
    sql("control.state-copied-read", "select sync, target from bucardo.target_state where copied"),
  );
}

/** The target's checkpoint was given up: what is remembered of it does not hold for the next one. */
export async function forgetSettled(session: Session, syncId: string, target: string): Promise<void> {
  await session.execute(
    sql("control.state-forget", "update bucardo.target_state set settled = null where sync = $1::uuid and target = $2", [syncId, target]),
  );
}

/** Drops the states of targets that are no longer members of their sync. */
export async function dropStrayStates(session: Session): Promise<void> {
  await session.execute(
    sql(
      "control.state-drop-stray",
      `delete from bucardo.target_state t
        where not exists (
          select from bucardo.sync s join bucardo.sync_target m on m.sync = s.id
           where s.id = t.sync and m.target = t.target)`,
    ),
  );
}
