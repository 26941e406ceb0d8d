import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** What one target did since the last sample; targets that did nothing need none. */
export type Work = {
  readonly syncId: string;
  readonly target: string;
  readonly rows: number;
  readonly bytes: number;
  readonly runs: number;
  readonly failed: number;
};

/** One step of a plot: the most that waited in it, and the sums of what was done. Times in seconds since 1970. */
export type SampleRow = {
  readonly at: number;
  readonly sync: string | null;
  readonly target: string | null;
  readonly deltas: number | null;
  readonly lagSeconds: number | null;
  readonly rows: number;
  readonly bytes: number;
  readonly runs: number;
  readonly failed: number;
};

/** The grains, finest first: seconds between two points, and how long they are kept. */
export const grains = [
  { step: 10, keepSeconds: 70 * 60 },
  { step: 300, keepSeconds: 49 * 3600 },
  { step: 3600, keepSeconds: 90 * 86_400 },
] as const;

export type Step = (typeof grains)[number]["step"];

/** A target at rest has a sample this often, so that "nothing to do" is told from "nobody looked". */
export const RESTING_SECONDS = 300;

export async function controlClock(session: Session): Promise<Date> {
  return (await session.one<{ now: Date }>(sql("control.clock", "select pg_catalog.clock_timestamp() as now"))).now;
}

/** One point per target that has something to tell; `all`: per target. May be repeated with the same `at`. Returns how many. */
export async function writeSamples(session: Session, at: Date, work: readonly Work[], all: boolean): Promise<number> {
  return await session.execute(
    sql(
      "control.sample-write",
      `insert into bucardo.sample (step, at, sync, target, deltas, lag_seconds, rows, bytes, runs, failed)
       select 10, $1, t.sync, t.target, t.deltas, t.lag_seconds, coalesce(w.rows, 0), coalesce(w.bytes, 0), coalesce(w.runs, 0), coalesce(w.failed, 0)
         from bucardo.target_state t
         left join pg_catalog.json_to_recordset($2::json) w ("syncId" uuid, target text, rows bigint, bytes bigint, runs integer, failed integer)
           on w."syncId" = t.sync and w.target = t.target
        where $3 or w.target is not null or t.deltas > 0
           -- The end of something: zero once.
           or exists (select from bucardo.sample s
                       where s.step = 10 and s.sync = t.sync and s.target = t.target and s.at > $1::timestamptz - interval '30 seconds'
                         and (s.deltas > 0 or s.rows > 0 or s.failed > 0))
       on conflict do nothing`,
      [at, JSON.stringify(work), all],
    ),
  );
}

/** Folds each grain into the next one; `sinceSeconds`: how far back the finer one may have grown since the last time, null: all there is. May be repeated. */
export async function rollUpSamples(session: Session, from: Step, to: Step, sinceSeconds: number | null): Promise<number> {
  return await session.execute(
    sql(
      "control.sample-roll-up",
      `insert into bucardo.sample (step, at, sync, target, deltas, lag_seconds, rows, bytes, runs, failed)
       select $2::integer, ${bucket("s.at", "$2::integer")}, s.sync, s.target, max(s.deltas), max(s.lag_seconds), sum(s.rows), sum(s.bytes), sum(s.runs), sum(s.failed)
         from bucardo.sample s
        where s.step = $1 and ($3::float8 is null or s.at >= ${bucket("pg_catalog.clock_timestamp() - $3::float8 * interval '1 second'", "$2::integer")})
        group by 2, s.sync, s.target
       on conflict (sync, target, step, at) do update
         set deltas = excluded.deltas, lag_seconds = excluded.lag_seconds, rows = excluded.rows, bytes = excluded.bytes,
             runs = excluded.runs, failed = excluded.failed`,
      [from, to, sinceSeconds],
    ),
  );
}

/** Drops what is older than its grain is kept for. */
export async function pruneSamples(session: Session): Promise<number> {
  return await session.execute(
    sql(
      "control.sample-prune",
      `delete from bucardo.sample s using (values ${grains.map(({ step, keepSeconds }) => `(${step}, ${keepSeconds})`).join(", ")}) g (step, seconds)
        where s.step = g.step and s.at < pg_catalog.clock_timestamp() - g.seconds * interval '1 second'`,
    ),
  );
}

/** Where the points of a step come from: those that are folded already, which are most, and those to be folded here. */
const SOURCES: Readonly<Record<Step, { readonly folded: string | null; readonly finer: string }>> = {
  10: { folded: null, finer: "s.step = 10" },
  300: { folded: "s.step = 300 and s.at < e.fine", finer: "s.step = 10 and s.at >= e.fine" },
  3600: {
    folded: "s.step = 3600 and s.at < e.middle",
    finer: "(s.step = 300 and s.at >= e.middle and s.at < e.fine or s.step = 10 and s.at >= e.fine)",
  },
};

const WANTED = `s.at >= pg_catalog.clock_timestamp() - $2 * interval '1 second'
            and ($3::text is null or s.sync = (select y.id from bucardo.sync y where y.name = $3)) and ($4::text is null or s.target = $4)`;

/**
 * The points of the last `seconds`, `step` apart, in the order of time: what was folded already, and what still stands in finer grains. One series per
 * target of the sync; without a sync one for all of them together.
 */
export async function readSamples(
  session: Session,
  of: { readonly step: Step; readonly seconds: number; readonly sync: string | null; readonly target: string | null },
): Promise<SampleRow[]> {
  const { folded, finer } = SOURCES[of.step];
  const series = of.sync === null ? "" : ", s.target";
  return await session.query<SampleRow>(
    sql(
      "control.sample-read",
      `with edge as (
         -- From here on a grain is taken from the finer one, which surely still has all of it.
         select ${bucket("pg_catalog.clock_timestamp() - interval '50 minutes'", "300")} as fine,
                ${bucket("pg_catalog.clock_timestamp() - interval '3 hours'", "3600")} as middle
       ), steps as (
         select ${bucket("s.at", "$1::integer")} as at, s.target, max(s.deltas) as deltas, max(s.lag_seconds) as lag,
                sum(s.rows)::bigint as rows, sum(s.bytes)::bigint as bytes, sum(s.runs) as runs, sum(s.failed) as failed
           from bucardo.sample s, edge e
          where ${WANTED} and ${finer} group by 1, s.sync, s.target
         ${folded === null ? "" : `union all select s.at, s.target, s.deltas, s.lag_seconds, s.rows, s.bytes, s.runs, s.failed from bucardo.sample s, edge e where ${WANTED} and ${folded}`}
       )
       select extract(epoch from s.at)::float8 as at, $3::text as sync, ${of.sync === null ? "null::text" : "s.target"} as target,
              sum(s.deltas)::bigint as deltas, max(s.lag) as "lagSeconds", sum(s.rows)::bigint as rows, sum(s.bytes)::bigint as bytes,
              sum(s.runs)::bigint as runs, sum(s.failed)::bigint as failed
         from steps s group by s.at${series} order by ${of.sync === null ? "" : "s.target, "}s.at`,
      [of.step, of.seconds, of.sync, of.target],
    ),
  );
}

/** The begin of the step that a moment is in; date_bin() came with 14. */
function bucket(at: string, step: string): string {
  return `pg_catalog.to_timestamp(floor(extract(epoch from ${at}) / ${step}) * ${step})`;
}
