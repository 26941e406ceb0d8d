/**
 * Makes the objects of a dump on the other side, one stage at a time:
 *
 *   const report = await restoreStage(target, dump.objects, { stage: "pre", jobs: 4, signal, done, remember, skip, onProgress });
 *   if (report.failed.length > 0) throw restoreFailure(report, target.name);
 *
 * - Every object is one transaction: there wholly or not at all.
 * - `done` are the ids remembered by an earlier attempt, `remember` is told of each object that is finished, after its commit. What a crash left made but
 *   not remembered is found again (`exists-already.ts`), provided that the target was empty when the first attempt began; pass `resumed: true` then.
 * - A failure does not stop what does not depend on it: all are collected. Only what matches `skip` (`INDEX s.t_*`, `s.t`, with * and %) is passed over,
 *   and reported as skipped.
 * - Stages that may are run by `jobs` sessions side by side, the biggest first; the others by one, in the order of the dump.
 * A lost connection, or an abort of the signal, is thrown: call it again.
 */
import { BucardoError } from "../model/error.ts";
import { connect, type ConnectOptions } from "../postgres/connect.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { makeObject, type ObjectFailure } from "./make-object.ts";
import { describeObject, type SchemaObject, type Stage } from "./object.ts";
import { objectMatcher } from "./object-pattern.ts";
import { workInParallel } from "./parallel.ts";

export type RestoreOptions = {
  readonly stage: Stage;
  /** Sessions at most. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly done?: ReadonlySet<string> | undefined;
  readonly resumed?: boolean | undefined;
  /** Told before an object is made, for what must be known even if nobody hears how it ended. */
  readonly announce?: ((object: SchemaObject) => Promise<void>) | undefined;
  readonly remember?: ((object: SchemaObject, outcome: "done" | "skipped", note: string | null) => Promise<void>) | undefined;
  readonly skip?: readonly string[] | undefined;
  /** False: everything belongs to the user who connects, and grants are left to it (like pg_dump --no-owner); default true. */
  readonly owners?: boolean | undefined;
  /** For the sessions, e.g. { maintenance_work_mem: "1GB" }. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
};

export type RestoreProgress = {
  readonly stage: Stage;
  readonly done: number;
  readonly total: number;
  /** What has just begun or ended. */
  readonly object: SchemaObject;
  readonly event: "begun" | "done" | "skipped" | "failed";
  readonly ms: number;
};

export type RestoreReport = {
  readonly stage: Stage;
  /** Made now, by id. */
  readonly made: readonly string[];
  /** Were there already. */
  readonly before: readonly string[];
  readonly skipped: readonly string[];
  readonly failed: readonly ObjectFailure[];
};

/** See above. */
export async function restoreStage(
  target: ConnectOptions,
  objects: readonly SchemaObject[],
  options: RestoreOptions,
): Promise<RestoreReport> {
  const { stage, signal, done = new Set(), remember } = options;
  const mine = objects.filter((object) => object.stage === stage);
  const open = mine.filter((object) => !done.has(object.id));
  const skips = objectMatcher(options.skip ?? []);
  const report = {
    stage,
    made: [] as string[],
    before: mine.filter((object) => done.has(object.id)).map(({ id }) => id),
    skipped: [] as string[],
    failed: [] as ObjectFailure[],
  };
  const tell = (object: SchemaObject, event: RestoreProgress["event"], ms = 0) =>
    options.onProgress?.({
      stage,
      object,
      event,
      ms,
      total: mine.length,
      done: mine.length - open.length + report.made.length + report.skipped.length,
    });
  const work = async (session: Session, object: SchemaObject): Promise<void> => {
    signal.throwIfAborted();
    if (skips(object)) {
      report.skipped.push(object.id);
      await remember?.(object, "skipped", null);
      return tell(object, "skipped");
    }
    tell(object, "begun");
    await options.announce?.(object);
    const begun = performance.now();
    const outcome = await makeObject(session, object, { ...options, failedBefore: report.failed.length > 0 });
    const ms = performance.now() - begun;
    if (outcome.made) {
      report.made.push(object.id);
      await remember?.(object, "done", outcome.note);
      return tell(object, "done", ms);
    }
    report.failed.push(outcome.failure);
    tell(object, "failed", ms);
  };
  await workInParallel(open, stage, { jobs: options.jobs, signal, open: () => openSession(target, options), work });
  return report;
}

/** All failures of a stage as one error. */
export function restoreFailure(report: Pick<RestoreReport, "failed" | "stage">, db: string): BucardoError {
  const causes = report.failed.filter(({ consequence }) => !consequence);
  const problems = report.failed.map(({ object, error, consequence }) => ({
    grade: "error" as const,
    db,
    what: `${describeObject(object)}: ${error.message}${error.details.sqlstate === undefined ? "" : ` (SQLSTATE ${error.details.sqlstate})`}${consequence ? "; it may be a consequence of the failures before it" : ""}`,
    remedy: `${error.advice} Or leave it out: --skip-object '${object.id}'`,
  }));
  const first = (causes[0] ?? report.failed[0])!;
  return new BucardoError(
    "restore-failed",
    `database "${db}": ${report.failed.length === 1 ? "1 object" : `${report.failed.length} objects`} could not be made`,
    {
      db,
      problems,
      ...(first.error.details.sqlstate !== undefined && { sqlstate: first.error.details.sqlstate }),
      cause: first.error,
    },
  );
}

async function openSession(target: ConnectOptions, { signal, settings = {} }: RestoreOptions): Promise<Session> {
  const session = await connect({ ...target, signal });
  const wanted: Readonly<Record<string, string>> = {
    // As pg_dump sets them before its statements.
    search_path: "",
    check_function_bodies: "off",
    default_tablespace: "",
    // We do not stand in the way of those who use what is there already.
    lock_timeout: "10s",
    ...settings,
  };
  const calls = Object.keys(wanted).map((_, index) => `pg_catalog.set_config($${index * 2 + 1}, $${index * 2 + 2}, false)`);
  await session.execute(sql("schema.settings", `select ${calls.join(", ")}`, Object.entries(wanted).flat()));
  return session;
}
