import { backoff } from "../base/backoff.ts";
import { sleep } from "../base/sleep.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { memberOf, type Member } from "../replicate/member.ts";
import { copyNext, type Worker } from "./copy-piece.ts";
import { countUnfinished, joinComplete } from "./piece.ts";
import { settleSent } from "./recover.ts";

/** Failures in a row, of the kind that passes by itself, after which a worker gives up: some minutes. */
const ATTEMPTS = 12;
/** Between two looks of a worker for whom nothing is left, while others are still at work. */
const IDLE_MS = 100;
const PAUSED_MS = 200;

type Pair = Pick<Worker, "source" | "target">;

/** Everything a worker needs but its connections. */
export type Job = Omit<Worker, keyof Pair> & {
  /** Looks again how tables cross: columns changed. */
  readonly relink: (source: Session, target: Member) => Promise<void>;
  /** Workers that still work, this one among them. */
  readonly alive: { count: number };
};

/** Copies pieces until none is left, whoever copied them. Errors that pass are waited out; with too many connections the others go on alone. */
export async function work(job: Job): Promise<void> {
  let pair: Pair | null = null;
  try {
    for (let failures = 0; ;) {
      try {
        pair ??= await openPair(job);
        if (await step(job, pair)) return;
        failures = 0;
      } catch (error) {
        job.signal.throwIfAborted();
        if (!(error instanceof BucardoError)) throw error;
        if (error.code === "schema-mismatch" && failures === 0 && pair !== null) await job.relink(pair.source, pair.target);
        else if (error.retry === "never" || failures >= ATTEMPTS) throw error;
        if (error.code === "too-many-connections" && job.alive.count > 1) return;
        failures++;
        if (error.retry === "backoff" && error.code !== "lock-timeout") {
          await closePair(pair);
          pair = null;
        }
        await sleep(error.retry !== "backoff" && failures < 5 ? 0 : backoff(failures), job.signal);
      }
    }
  } finally {
    job.alive.count--;
    await closePair(pair);
  }
}

/** True: everything has arrived. */
async function step(job: Job, pair: Pair): Promise<boolean> {
  await waitWhilePaused(job);
  await payDebt(job);
  job.signal.throwIfAborted();
  if ((await copyNext({ ...job, ...pair })) === "done") return false;
  await settleSent(pair.source, pair.target.session, job.options);
  if ((await countUnfinished(pair.source, job.options)) === 0) {
    await joinComplete(pair.source, job.options);
    return true;
  }
  await sleep(IDLE_MS, job.signal);
  return false;
}

/** What short pieces took beyond the rate, before another transaction begins. */
async function payDebt({ pace, signal }: Job): Promise<void> {
  for (let ms = pace?.(0) ?? 0; ms > 0; ms = pace?.(0) ?? 0) await sleep(ms, signal);
}

async function waitWhilePaused({ options, progress, signal }: Job): Promise<void> {
  while (options.paused?.() === true) {
    progress.paused = true;
    progress.tell();
    await sleep(PAUSED_MS, signal);
  }
  progress.paused = false;
}

async function openPair({ options }: Job): Promise<Pair> {
  const source = await openReader(options.openSource);
  try {
    const target = await options.openTarget();
    try {
      return { source, target: await memberOf(target) };
    } catch (error) {
      await target.close();
      throw error;
    }
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** As many streams as were asked for, and no more of the source's processors than these. */
async function openReader(open: () => Promise<Session>): Promise<Session> {
  const source = await open();
  await source.execute(sql("copy.no-helpers", "set max_parallel_workers_per_gather = 0"));
  return source;
}

async function closePair(pair: Pair | null): Promise<void> {
  await pair?.source.close();
  await pair?.target.session.close();
}
