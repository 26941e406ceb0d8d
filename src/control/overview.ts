import type { CopyState, RunOutcome } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { TargetWord } from "./target-state.ts";

/** A run as the overview tells it: no counts per table, no key of a row. Times as ISO text. */
export type RunGlance = {
  readonly id: number;
  readonly reason: string;
  readonly started: string;
  readonly ended: string;
  readonly outcome: RunOutcome;
  readonly upserted: number;
  readonly deleted: number;
  readonly truncates: number;
  readonly bytes: number;
  readonly code: string | null;
  readonly message: string | null;
  readonly table: string | null;
  readonly sqlstate: string | null;
  readonly advice: string | null;
};

export type TargetGlance = {
  readonly sync: string;
  readonly target: string;
  readonly state: TargetWord;
  readonly detail: string | null;
  readonly deltas: number | null;
  readonly lagSeconds: number | null;
  readonly checked: Date | null;
  readonly setAside: number;
  readonly copy: CopyState | null;
  readonly good: RunGlance | null;
  readonly bad: RunGlance | null;
};

/** A run that goes on. */
export type OpenRunGlance = {
  readonly id: number;
  readonly sync: string;
  readonly target: string;
  readonly reason: string;
  readonly started: Date;
  readonly step: string | null;
  readonly table: string | null;
  readonly rowsDone: number;
  readonly rowsExpected: number | null;
  readonly rate: number | null;
  readonly bytesDone: number;
};

export type SyncGlance = {
  readonly id: string;
  readonly name: string;
  readonly status: "active" | "inactive";
  readonly paused: boolean;
  readonly ready: boolean;
  readonly autokick: boolean;
  readonly checktime: number | null;
  readonly onetimecopy: number;
  readonly onError: string;
  readonly priority: number;
  readonly relgroup: string;
  readonly dbgroup: string;
  readonly tables: number;
  readonly sequences: number;
};

const RUN = (
  name: string,
): string => `case when ${name}.id is not null then pg_catalog.json_build_object('id', ${name}.id, 'reason', ${name}.reason,
  'started', ${name}.started_at, 'ended', ${name}.ended_at, 'outcome', ${name}.outcome, 'upserted', ${name}.upserted, 'deleted', ${name}.deleted,
  'truncates', ${name}.truncates, 'bytes', ${name}.bytes_done, 'code', ${name}.error_code, 'message', ${name}.error_message,
  'table', ${name}.error_table, 'sqlstate', ${name}.sqlstate, 'advice', ${name}.advice) end`;

/** Every target with its last good and last bad run; cheap enough to be read every second. */
export async function glanceAtTargets(session: Session): Promise<TargetGlance[]> {
  return await session.query<TargetGlance>(
    sql(
      "control.glance-targets",
      `select t.sync, t.target, t.state, t.detail, t.deltas, t.lag_seconds as "lagSeconds", t.checked_at as checked, t.set_aside as "setAside", t.copy,
              ${RUN("g")} as good, ${RUN("b")} as bad
         from bucardo.target_state t
         left join bucardo.run g on g.id = t.last_good
         left join bucardo.run b on b.id = t.last_bad
        order by t.sync, t.target`,
    ),
  );
}

export async function glanceAtOpenRuns(session: Session): Promise<OpenRunGlance[]> {
  return await session.query<OpenRunGlance>(
    sql(
      "control.glance-open-runs",
      `select r.id, r.sync, r.target, r.reason, r.started_at as started, r.step, r.current_table as "table", r.rows_done as "rowsDone",
              r.rows_expected as "rowsExpected", r.rate, r.bytes_done as "bytesDone"
         from bucardo.run r where r.ended_at is null order by r.id`,
    ),
  );
}

/** Kicks that no run has settled yet, per sync; syncs without any are absent. */
export async function glanceAtKicks(session: Session): Promise<{ sync: string; waiting: number }[]> {
  return await session.query<{ sync: string; waiting: number }>(
    sql("control.glance-kicks", "select k.sync, count(*)::integer as waiting from bucardo.kick k where k.done_at is null group by k.sync"),
  );
}

/** Every sync with how much it carries, without naming it all: there may be ten thousand tables. By priority (high first) and name. */
export async function glanceAtSyncs(session: Session): Promise<SyncGlance[]> {
  return await session.query<SyncGlance>(
    sql(
      "control.glance-syncs",
      `select s.id, s.name, case when s.ready then s.status else 'inactive' end as status, s.paused, s.ready, s.autokick,
              extract(epoch from s.checktime)::double precision as checktime, s.onetimecopy, s.on_error as "onError", s.priority, s.relgroup, s.dbgroup,
              coalesce(m.tables, 0)::integer as tables, coalesce(m.sequences, 0)::integer as sequences
         from bucardo.sync s
         left join (select g.relgroup, count(*) filter (where r.kind = 'table') as tables, count(*) filter (where r.kind = 'sequence') as sequences
                      from bucardo.relgroup_member g join bucardo.relation r on r.id = g.relation and not r.ghost group by g.relgroup) m on m.relgroup = s.relgroup
        order by s.priority desc, s.name`,
    ),
  );
}
