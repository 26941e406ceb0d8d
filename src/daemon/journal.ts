import { recordRuns, type DoneRun } from "../control/run-journal.ts";
import type { RunReason, RunResult } from "../model/run.ts";
import type { Log } from "../telemetry/log.ts";
import type { DaemonContext } from "./context.ts";
import { logQuick } from "./log-run.ts";
import { throttled } from "./progress.ts";

type Ended = {
  readonly reason: RunReason;
  readonly began: number;
  readonly ended: number;
  readonly result: RunResult;
  readonly settledRuns: number;
};

/** Rows of the history for quick runs are written so often, however many there are. */
const WRITE_MS = 200;

/** The history of one target's quick runs: written behind them, so that nothing waits for the control database but their rows there. */
export class Journal {
  readonly #context: Pick<DaemonContext, "lease" | "now">;
  readonly #of: { readonly syncId: string; readonly target: string; readonly log: Log };
  readonly #often = throttled<void>(WRITE_MS, () => this.flush());
  #ended: Ended[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(context: Pick<DaemonContext, "lease" | "now">, of: { readonly syncId: string; readonly target: string; readonly log: Log }) {
    this.#context = context;
    this.#of = of;
  }

  add(run: Ended): void {
    this.#ended.push(run);
    this.#often.push();
  }

  /** Resolves when everything is written that was added before. Never rejects: a history with a gap is told of, and not more. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const ended = this.#ended;
    if (ended.length === 0) return;
    this.#ended = [];
    const { syncId, target, log } = this.#of;
    const rowsOf = (now: number): DoneRun[] =>
      ended.map(({ began, ended: end, ...run }) => ({ ...run, beganMsAgo: now - began, endedMsAgo: now - end }));
    try {
      const ids = await this.#context.lease.use((session) => recordRuns(session, syncId, target, rowsOf(this.#context.now())));
      logQuick(log, ids, ended);
    } catch (error) {
      log.error({ err: error }, "Runs could not be recorded.");
    }
  }
}
