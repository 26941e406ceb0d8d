import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { TargetWord } from "./target-state.ts";

/** What the control database knows of one target of an active sync. */
export type TargetFacts = {
  readonly syncId: string;
  readonly sync: string;
  readonly paused: boolean;
  /** Runs on change or by the clock; false: only when kicked, and then waiting deltas are no fault. */
  readonly byItself: boolean;
  readonly target: string;
  readonly state: TargetWord | null;
  readonly detail: string | null;
  readonly deltas: number | null;
  /** Age at most of what waits, now: by the last count and the time since. */
  readonly lagSeconds: number | null;
  /** Since it was last known to have everything; null: never. */
  readonly behindSeconds: number | null;
  /** Since the last run that was good or found nothing; null: none. */
  readonly sinceGoodSeconds: number | null;
  readonly sinceAddedSeconds: number;
  readonly setAside: number;
};

export type SourceFacts = {
  readonly db: string;
  readonly bytes: number;
  readonly secondsLeft: number | null;
  readonly note: string | null;
};

export async function readTargetFacts(session: Session): Promise<TargetFacts[]> {
  return await session.query<TargetFacts>(
    sql(
      "control.alert-targets",
      `select s.id as "syncId", s.name as sync, s.paused, s.autokick or s.checktime is not null as "byItself", m.target, t.state, t.detail, t.deltas,
              case when t.deltas > 0 then t.lag_seconds + extract(epoch from clock_timestamp() - t.checked_at) else 0 end::double precision as "lagSeconds",
              (case when t.deltas > 0 then t.lag_seconds + extract(epoch from clock_timestamp() - t.checked_at)
                    -- That nothing waits is written once; that it is looked at, with every purge.
                    else extract(epoch from clock_timestamp() - greatest(t.checked_at,
                      (select min(o.checked_at) from bucardo.dbgroup_member f left join bucardo.source_state o on o.db = f.db
                        where f.dbgroup = s.dbgroup and f.role = 'source'))) end)::double precision as "behindSeconds",
              extract(epoch from clock_timestamp() - r.ended_at)::double precision as "sinceGoodSeconds",
              extract(epoch from clock_timestamp() - s.created_at)::double precision as "sinceAddedSeconds", coalesce(t.set_aside, 0) as "setAside"
         from bucardo.sync s
         join bucardo.sync_target m on m.sync = s.id
         join bucardo.db d on d.name = m.target and d.status = 'active'
         left join bucardo.target_state t on t.sync = s.id and t.target = m.target
         left join bucardo.run r on r.id = t.last_good
        where s.status = 'active' and s.ready
        order by s.name, m.target`,
    ),
  );
}

export async function readSourceFacts(session: Session): Promise<SourceFacts[]> {
  return await session.query<SourceFacts>(
    sql("control.alert-sources", `select db, bytes, seconds_left as "secondsLeft", note from bucardo.source_state order by db`),
  );
}

/** Syncs with conflicts that were decided within the last hour. */
export type ConflictFacts = { readonly syncId: string; readonly sync: string; readonly conflicts: number };

export async function readConflictFacts(session: Session): Promise<ConflictFacts[]> {
  return await session.query<ConflictFacts>(
    sql(
      "control.alert-conflicts",
      `select s.id as "syncId", s.name as sync, count(*) as conflicts
         from bucardo.conflict c join bucardo.sync s on s.id = c.sync and s.status = 'active'
        where c.decided_at > clock_timestamp() - interval '1 hour'
        group by s.id, s.name order by s.name`,
    ),
  );
}
