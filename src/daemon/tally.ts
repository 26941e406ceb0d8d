import type { Work } from "../control/sample.ts";
import type { RunOutcome, RunResult } from "../model/run.ts";

/** All that one target did since the daemon started; never goes back. */
export type TargetTally = {
  readonly syncId: string;
  readonly sync: string;
  readonly target: string;
  readonly good: number;
  readonly empty: number;
  readonly bad: number;
  readonly upserted: number;
  readonly deleted: number;
  readonly bytes: number;
  readonly conflicts: number;
  readonly seconds: number;
};

type Mutable = { -readonly [Name in keyof TargetTally]: TargetTally[Name] };

/** Upper bounds of the classes into which the lengths of runs are counted, in seconds. */
export const RUN_SECONDS = [0.01, 0.05, 0.25, 1, 5, 30, 300] as const;

type Pair = { readonly syncId: string; readonly sync: string; readonly target: string };

/** Counts what runs do, for metrics and plots. Kept in memory only: a daemon that starts anew counts from zero. */
export class Tally {
  readonly #targets = new Map<string, Mutable>();
  /** As they were when they were last taken for a sample. */
  readonly #taken = new Map<string, TargetTally>();
  /** Runs of each class; the last holds all longer ones. */
  readonly #lengths: number[] = Array.from({ length: RUN_SECONDS.length + 1 }, () => 0);
  #seconds = 0;

  /** One run that has ended. */
  add(of: Pair, outcome: RunOutcome, ms: number, result: Pick<RunResult, "tables" | "bytes"> | null): void {
    const mine = this.#of(of);
    mine.sync = of.sync;
    mine[outcome] += 1;
    mine.seconds += ms / 1000;
    for (const table of result?.tables ?? []) {
      mine.upserted += table.upserted;
      mine.deleted += table.deleted;
      mine.conflicts += table.conflicts ?? 0;
    }
    mine.bytes += result?.bytes ?? 0;
    this.#seconds += ms / 1000;
    const length = RUN_SECONDS.findIndex((bound) => ms / 1000 <= bound);
    this.#lengths[length === -1 ? RUN_SECONDS.length : length]! += 1;
  }

  /** Syncs that are gone are counted no longer. */
  keep(syncIds: ReadonlySet<string>): void {
    for (const [key, { syncId }] of this.#targets) {
      if (syncIds.has(syncId)) continue;
      this.#targets.delete(key);
      this.#taken.delete(key);
    }
  }

  get targets(): readonly TargetTally[] {
    return [...this.#targets.values()];
  }

  /** How many runs were at most so long, for each bound and without one; and all their time. */
  get lengths(): { readonly upTo: readonly number[]; readonly count: number; readonly seconds: number } {
    const upTo = this.#lengths.map((_, index) => this.#lengths.slice(0, index + 1).reduce((sum, each) => sum + each, 0));
    return { upTo: upTo.slice(0, -1), count: upTo.at(-1) ?? 0, seconds: this.#seconds };
  }

  /** What was done since the last call, for a sample. */
  take(): Work[] {
    return [...this.#targets].flatMap(([key, now]) => {
      const before = this.#taken.get(key);
      this.#taken.set(key, { ...now });
      const work: Work = {
        syncId: now.syncId,
        target: now.target,
        rows: now.upserted + now.deleted - (before === undefined ? 0 : before.upserted + before.deleted),
        bytes: now.bytes - (before?.bytes ?? 0),
        runs: now.good - (before?.good ?? 0),
        failed: now.bad - (before?.bad ?? 0),
      };
      return work.runs + work.failed > 0 ? [work] : [];
    });
  }

  #of({ syncId, sync, target }: Pair): Mutable {
    const key = `${syncId} ${target}`;
    const known = this.#targets.get(key);
    if (known !== undefined) return known;
    const fresh: Mutable = { syncId, sync, target, good: 0, empty: 0, bad: 0, upserted: 0, deleted: 0, bytes: 0, conflicts: 0, seconds: 0 };
    this.#targets.set(key, fresh);
    return fresh;
  }
}
