import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

export type AlertKind = "failed" | "lag" | "overdue" | "expired" | "set-aside" | "conflicts" | "delta-disk";

/** Something that is wrong now. `problem` names it: as long as it is the same it is one alert. */
export type CurrentProblem = {
  readonly problem: string;
  readonly kind: AlertKind;
  readonly grade: "warning" | "critical";
  /** Names; null where it concerns none. */
  readonly sync: string | null;
  readonly target: string | null;
  readonly db: string | null;
  readonly what: string;
  readonly advice: string;
};

/** A problem that was seen, and who was told of it: per channel `raised`, or `over`. Times are seconds by the clock of the control database. */
export type Alert = CurrentProblem & {
  readonly id: number;
  readonly began: Date;
  readonly forSeconds: number;
  /** Null while the problem is there. */
  readonly over: Date | null;
  readonly overForSeconds: number | null;
  readonly closed: Date | null;
  readonly told: Readonly<Record<string, "raised" | "over">>;
};

/** What is told of an alert; the rest is our own book-keeping. */
export type ToldAlert = Pick<Alert, "id" | "kind" | "grade" | "sync" | "target" | "db" | "what" | "advice" | "began" | "over">;

export function toldOf({ id, kind, grade, sync, target, db, what, advice, began, over }: Alert): ToldAlert {
  return { id, kind, grade, sync, target, db, what, advice, began, over };
}

const COLUMNS = `a.id, a.problem, a.kind, a.grade, a.sync, a.target, a.db, a.what, a.advice, a.began_at as began, a.over_at as over, a.closed_at as closed,
  a.told, extract(epoch from clock_timestamp() - a.began_at)::double precision as "forSeconds",
  extract(epoch from clock_timestamp() - a.over_at)::double precision as "overForSeconds"`;

/** Begins an alert for each problem that has none, ends those whose problem is gone; one statement, safe to repeat. */
export async function noteProblems(session: Session, problems: readonly CurrentProblem[]): Promise<void> {
  await session.execute(
    sql(
      "control.alert-note",
      `with now as (
         select * from jsonb_to_recordset($1::jsonb)
           as n(problem text, kind text, grade text, sync text, target text, db text, what text, advice text)
       ), gone as (
         update bucardo.alert a set over_at = clock_timestamp()
          where a.closed_at is null and a.over_at is null and not exists (select from now n where n.problem = a.problem)
       )
       insert into bucardo.alert as a (problem, kind, grade, sync, target, db, what, advice)
       select problem, kind, grade, sync, target, db, what, advice from now
       on conflict (problem) where closed_at is null do update
         set grade = excluded.grade, what = excluded.what, advice = excluded.advice, over_at = null
       where (a.grade, a.what, a.advice) is distinct from (excluded.grade, excluded.what, excluded.advice) or a.over_at is not null`,
      [JSON.stringify(problems)],
    ),
  );
}

/** Those that are not closed. */
export async function openAlerts(session: Session): Promise<Alert[]> {
  return await session.query<Alert>(
    sql("control.alert-open", `select ${COLUMNS} from bucardo.alert a where a.closed_at is null order by a.began_at, a.id`),
  );
}

/** The newest first, closed ones too. */
export async function recentAlerts(session: Session, limit: number): Promise<Alert[]> {
  return await session.query<Alert>(
    sql("control.alert-recent", `select ${COLUMNS} from bucardo.alert a order by a.began_at desc, a.id desc limit $1`, [limit]),
  );
}

export async function markTold(session: Session, ids: readonly number[], channel: string, word: "raised" | "over"): Promise<void> {
  await session.execute(
    sql(
      "control.alert-told",
      "update bucardo.alert set told = told || jsonb_build_object($2::text, $3::text) where id = any ($1::bigint[])",
      [ids, channel, word],
    ),
  );
}

export async function closeAlerts(session: Session, ids: readonly number[]): Promise<void> {
  await session.execute(
    sql(
      "control.alert-close",
      "update bucardo.alert set closed_at = clock_timestamp() where id = any ($1::bigint[]) and over_at is not null",
      [ids],
    ),
  );
}

export async function pruneAlerts(session: Session, days: number): Promise<number> {
  return await session.execute(
    sql("control.alert-prune", "delete from bucardo.alert where closed_at < clock_timestamp() - $1 * interval '1 day'", [days]),
  );
}

/** Notes that people are told of a start of the daemon; false when they were within so many milliseconds. */
export async function mayTellStart(session: Session, pauseMs: number): Promise<boolean> {
  const told = await session.query(
    sql(
      "control.alert-start",
      `update bucardo.daemon set told_at = clock_timestamp()
        where told_at is null or told_at < clock_timestamp() - $1 * interval '1 millisecond' returning pid`,
      [pauseMs],
    ),
  );
  return told.length > 0;
}
