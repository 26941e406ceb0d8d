import { sleep } from "../base/sleep.ts";
import { backoff } from "../base/backoff.ts";
import { countDeltas, lagOf } from "../capture/pending.ts";
import { purge } from "../capture/purge.ts";
import { BucardoError } from "../model/error.ts";
import { retries } from "../model/retry.ts";
import type { Lag, RunResult } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import { run } from "../replicate/run.ts";

/** The two connections that runs of one direction use; opened again after a loss. */
export type Runner = {
  readonly definition: RunDefinition;
  open(): Promise<{ readonly source: Session; readonly target: Session }>;
  readonly signal: AbortSignal;
  /** Done before each run, on its connections, and repeated like it. */
  readonly before?: (sessions: { readonly source: Session; readonly target: Session }) => Promise<unknown>;
  readonly onRows?: (rows: number, table: string | null) => void;
  readonly onTrouble?: (error: BucardoError, waitMs: number) => void;
};

/** Runs of one direction, one after the other, on connections that live as long as they can. Errors: those that no repetition mends. */
export class RunLine implements AsyncDisposable {
  readonly #runner: Runner;
  #sessions: { readonly source: Session; readonly target: Session } | null = null;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  async sessions(): Promise<{ readonly source: Session; readonly target: Session }> {
    this.#sessions ??= await this.#runner.open();
    return this.#sessions;
  }

  /** One run; void ones and those that the network or a lock broke are repeated, for ever if need be. */
  async run(): Promise<RunResult> {
    const { definition, signal, onRows, onTrouble } = this.#runner;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        const { source, target } = await this.sessions();
        await this.#runner.before?.({ source, target });
        return await run({
          definition,
          source,
          target,
          signal,
          onProgress: (progress) => onRows?.(progress.rowsDone, progress.table),
          remembered: null,
        });
      } catch (error) {
        if (!(error instanceof BucardoError) || error.retry === "never") throw error;
        if (error.retry !== "now") await this.close();
        const wait = error.retry === "now" && attempt < retries.voidedRunsAtOnce ? 0 : backoff(attempt, retries.move);
        if (wait > 0) onTrouble?.(error, wait);
        await sleep(wait, signal);
      }
    }
  }

  async lag(): Promise<Lag> {
    const { source } = await this.sessions();
    return lagOf(await countDeltas(source, [this.#runner.definition.sync.id]));
  }

  /** Deltas that have arrived need no disk any more. */
  async purge(): Promise<void> {
    const { source } = await this.sessions();
    await purge(source);
  }

  async close(): Promise<void> {
    const sessions = this.#sessions;
    this.#sessions = null;
    await sessions?.source.close();
    await sessions?.target.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Near enough: one more run takes next to no time. */
const NEAR = 1000;
/** A source that writes faster than we carry never comes near; after so many runs that do not come closer it is said. */
const HOPELESS_RUNS = 20;

/** Runs until less than a thousand deltas wait. Errors: timeout (the source writes faster than the new side takes). */
export async function catchUp(line: RunLine, onLag: (lag: Lag) => void): Promise<{ runs: number; lag: Lag }> {
  let closest = Number.POSITIVE_INFINITY;
  for (let runs = 1, stuck = 0; ; runs++) {
    await line.run();
    await line.purge();
    const lag = await line.lag();
    onLag(lag);
    if (lag.deltas < NEAR) return { runs, lag };
    stuck = lag.deltas < closest ? 0 : stuck + 1;
    closest = Math.min(closest, lag.deltas);
    if (stuck >= HOPELESS_RUNS)
      throw new BucardoError(
        "timeout",
        `after ${runs} runs ${lag.deltas} deltas still wait: the old side changes faster than the new one takes it`,
        {
          advice: "Move at a quieter hour, or give the new server faster disks; the same command goes on.",
        },
      );
  }
}
