import { purge } from "../capture/purge.ts";
import { BucardoError } from "../model/error.ts";
import { retries } from "../model/retry.ts";
import type { RunResult } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import { run } from "../replicate/run.ts";

export type RunJob = {
  readonly definition: RunDefinition;
  readonly source: Session;
  readonly target: Session;
  readonly signal: AbortSignal;
};

/** Void runs are repeated at once. */
export async function runOnce({ definition, source, target, signal }: RunJob): Promise<RunResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run({ definition, source, target, signal, onProgress: () => undefined, remembered: null });
    } catch (error) {
      if (attempt >= retries.voidedRunsAtOnce || !(error instanceof BucardoError) || error.retry !== "now") throw error;
    }
  }
}

/** Near enough: the last run will not take longer than this one did. */
const NEAR_MS = 100;
const MOST_RUNS = 30;

/**
 * Runs on the very connections of the last run, until one is short: stages, links and plans are then there, and little is left. Returns how long the last
 * one took, in milliseconds; a source that is too busy shows in it, and the gate decides.
 */
export async function comeNear(job: RunJob): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let runs = 1, better = 0; ; runs++) {
    const began = performance.now();
    await runOnce(job);
    const ms = performance.now() - began;
    if (runs === 1) await purge(job.source, { sync: job.definition.sync.id });
    if (runs > 2 && ms < NEAR_MS) return ms;
    if (ms < best * 0.9) [best, better] = [ms, runs];
    if (runs > 2 && (runs - better >= 5 || runs >= MOST_RUNS)) return ms;
  }
}
