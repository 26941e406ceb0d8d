import type { BucardoError } from "../model/error.ts";
import type { RunOutcome, RunProgress, RunReason, RunResult, TableCounts } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/**
 * An opened run, the kicks that were waiting for this target when it began, and how many settled runs are remembered (null: none),
 * so that a source that went back in time shows.
 */
export type OpenRun = { readonly id: number; readonly kicks: readonly number[]; readonly remembered: number | null };

/** A row of the history; times of the control database's clock. */
export type RunRow = {
  readonly id: number;
  readonly sync: string;
  readonly target: string;
  readonly reason: RunReason;
  readonly started: Date;
  readonly ended: Date | null;
  readonly outcome: RunOutcome | null;
  readonly step: string | null;
  readonly table: string | null;
  readonly rowsExpected: number | null;
  readonly rowsDone: number;
  /** Rows per second lately; null while none move. */
  readonly rate: number | null;
  readonly bytesDone: number;
  readonly upserted: number;
  readonly deleted: number;
  readonly truncates: number;
  /** What was done to each table; empty while the run goes on. */
  readonly tables: readonly TableCounts[];
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly errorTable: string | null;
  /** Of the row that was refused. */
  readonly errorKey: string | null;
  readonly sqlstate: string | null;
  readonly advice: string | null;
  readonly updated: Date;
};

const COLUMNS = `r.id, r.sync, r.target, r.reason, r.started_at as started, r.ended_at as ended, r.outcome, r.step,
  r.current_table as "table", r.rows_expected as "rowsExpected", r.rows_done as "rowsDone", r.rate, r.bytes_done as "bytesDone",
  r.upserted, r.deleted, r.truncates, r.tables, r.error_code as "errorCode", r.error_message as "errorMessage",
  r.error_table as "errorTable", r.error_key as "errorKey", r.sqlstate, r.advice, r.updated_at as updated`;

/**
 * Opens the row of a run. A run of the same sync and target that is still open was left by a daemon that died, or by a lost
 * answer to this very statement: it is closed as bad. The kicks are read before the run begins, by id and not by "up to":
 * a smaller id may commit later.
 */
export async function openRun(session: Session, syncId: string, target: string, reason: RunReason): Promise<OpenRun> {
  return await session.one<OpenRun>(
    sql(
      "control.run-open",
      `with stale as (
         update bucardo.run r
            set ended_at = pg_catalog.clock_timestamp(), outcome = 'bad', step = null, error_code = 'interrupted',
                error_message = 'The daemon ended during the run.'
          where r.sync = $1::uuid and r.target = $2 and r.ended_at is null
       ), opened as (
         insert into bucardo.run (sync, target, reason, step) values ($1::uuid, $2, $3, 'connecting') returning id
       )
       select o.id,
              array(select k.id from bucardo.kick k
                     where k.sync = $1::uuid and k.done_at is null
                       and not exists (select from bucardo.kick_target kt where kt.kick = k.id and kt.target = $2)
                     order by k.id) as kicks,
              (select t.settled from bucardo.target_state t where t.sync = $1::uuid and t.target = $2) as remembered
         from opened o`,
      [syncId, target, reason],
    ),
  );
}

export async function reportProgress(
  session: Session,
  runId: number,
  progress: RunProgress & { readonly rate: number | null },
): Promise<void> {
  await session.execute(
    sql(
      "control.run-progress",
      `update bucardo.run
          set step = $2, current_table = $3, rows_done = $4, rows_expected = $5, bytes_done = $6, rate = $7, updated_at = pg_catalog.clock_timestamp()
        where id = $1 and ended_at is null`,
      [runId, progress.step, progress.table, progress.rowsDone, progress.rowsExpected, progress.bytesDone, progress.rate],
    ),
  );
}

/** How a run ended. `settlesKicks` false: the run will be repeated by itself, or tables are still copied beside it, so the kicks go on waiting. */
export type RunEnd =
  | { readonly kind: "done"; readonly result: RunResult; readonly settledRuns: number; readonly settlesKicks?: boolean }
  | { readonly kind: "failed"; readonly error: BucardoError; readonly settlesKicks: boolean };

/** Closes the run and settles its kicks, in one statement; safe to repeat when the answer was lost. */
export async function closeRun(session: Session, syncId: string, target: string, run: OpenRun, end: RunEnd): Promise<void> {
  const outcome: RunOutcome = end.kind === "done" ? end.result.outcome : "bad";
  const tables = end.kind === "done" ? end.result.tables : [];
  const error = end.kind === "failed" ? end.error : null;
  const kicks = end.settlesKicks === false ? [] : run.kicks;
  const total = (pick: (one: (typeof tables)[number]) => number): number => tables.reduce((sum, one) => sum + pick(one), 0);
  await session.execute(
    sql(
      "control.run-close",
      `with closed as (
         update bucardo.run r
            set ended_at = pg_catalog.clock_timestamp(), outcome = $4::text, step = null, current_table = null, rate = null,
                upserted = $5, deleted = $6, truncates = $7, bytes_done = greatest(r.bytes_done, $8), tables = $9::jsonb,
                error_code = $10::text, error_message = $11, error_table = $12, error_key = $13, sqlstate = $14, advice = $15,
                updated_at = pg_catalog.clock_timestamp()
          where r.id = $3
         returning r.id
       ), settled as (
         insert into bucardo.kick_target (kick, target, run, outcome)
         select k.id, $2, $3, $4 from bucardo.kick k where k.id = any ($16::bigint[])
         on conflict (kick, target) do nothing
       )
       insert into bucardo.target_state (sync, target, state, last_good, last_bad, settled, set_aside)
       select $1::uuid, $2, 'Idle', case when $4 <> 'bad' then c.id end, case when $4 = 'bad' then c.id end, $17, coalesce($18, 0)
         from closed c
       on conflict (sync, target) do update
         set last_good = coalesce(excluded.last_good, bucardo.target_state.last_good),
             last_bad = coalesce(excluded.last_bad, bucardo.target_state.last_bad),
             set_aside = coalesce($18, bucardo.target_state.set_aside),
             -- Without a checkpoint its count means nothing any more; a new one begins at 0.
             settled = case when $10 = 'checkpoint-missing' then null else coalesce(excluded.settled, bucardo.target_state.settled) end,
             updated_at = pg_catalog.clock_timestamp()`,
      [
        syncId,
        target,
        run.id,
        outcome,
        total((one) => one.upserted),
        total((one) => one.deleted),
        tables.filter((one) => one.refilled).length,
        end.kind === "done" ? end.result.bytes : 0,
        JSON.stringify(tables),
        error?.code ?? null,
        error?.message ?? null,
        error?.details.table ?? null,
        error?.details.key ?? null,
        error?.details.sqlstate ?? null,
        error?.advice ?? null,
        kicks,
        end.kind === "done" ? end.settledRuns : null,
        end.kind === "done" ? end.result.setAside : null,
      ],
    ),
  );
}

/** Closes every open run: the caller has just become the owner, so whoever opened them is gone. Returns how many. */
export async function closeStaleRuns(session: Session, except: readonly number[]): Promise<number> {
  return await session.execute(
    sql(
      "control.run-close-stale",
      `update bucardo.run
          set ended_at = pg_catalog.clock_timestamp(), outcome = 'bad', step = null, error_code = 'interrupted',
              error_message = 'The daemon ended during the run.'
        where ended_at is null and not (id = any ($1::bigint[]))`,
      [except],
    ),
  );
}

/** One run by id; null when it was pruned. */
export async function readRun(session: Session, runId: number): Promise<RunRow | null> {
  const rows = await session.query<RunRow>(sql("control.run-read", `select ${COLUMNS} from bucardo.run r where r.id = $1`, [runId]));
  return rows[0] ?? null;
}

/** The open run, the last good and last bad ones of every target, and the last that had something to do; what `status` shows. */
export async function recentRuns(session: Session): Promise<RunRow[]> {
  return await session.query<RunRow>(
    sql(
      "control.run-recent",
      `select ${COLUMNS} from bucardo.run r where r.ended_at is null
       union all
       select ${COLUMNS} from bucardo.run r
         join bucardo.target_state t on r.id in (t.last_good, t.last_bad,
           (select max(w.id) from bucardo.run w where w.sync = t.sync and w.target = t.target and w.outcome = 'good'))
        where r.ended_at is not null`,
    ),
  );
}

/**
 * Forgets runs older than `days`, and those beyond the newest `keep` of each sync and target; never the last good or last bad one.
 * At most `limit` rows a time. Returns how many.
 */
export async function pruneRuns(session: Session, days: number, keep: number, limit: number): Promise<number> {
  return await session.execute(
    sql(
      "control.run-prune",
      `delete from bucardo.run r
        where r.id in (
          select c.id
            from (select x.id, x.ended_at, row_number() over (partition by x.sync, x.target order by x.id desc) as place from bucardo.run x) c
           where c.ended_at is not null
             and (c.ended_at < pg_catalog.clock_timestamp() - $1 * interval '1 day' or c.place > $2)
             and not exists (select from bucardo.target_state t where c.id in (t.last_good, t.last_bad))
           order by c.id
           limit $3)`,
      [days, keep, limit],
    ),
  );
}

/** The history of a sync, newest first: its runs older than run `before`; `worked`: only those that did something or failed. */
export async function runHistory(
  session: Session,
  of: {
    readonly syncId: string;
    readonly target: string | null;
    readonly before: number | null;
    readonly worked: boolean;
    readonly limit: number;
  },
): Promise<RunRow[]> {
  return await session.query<RunRow>(
    sql(
      "control.run-history",
      `select ${COLUMNS} from bucardo.run r
        where r.sync = $1::uuid and ($2::text is null or r.target = $2) and ($3::bigint is null or r.id < $3)
          and (not $4 or r.outcome is distinct from 'empty')
        order by r.id desc limit $5`,
      [of.syncId, of.target, of.before, of.worked, of.limit],
    ),
  );
}
