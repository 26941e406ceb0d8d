import { backoff } from "../base/backoff.ts";
import type { Settings } from "../config/setting.ts";
import { writeTargetState, type TargetWord } from "../control/target-state.ts";
import { BucardoError } from "../model/error.ts";
import { retries } from "../model/retry.ts";
import type { RunReason } from "../model/run.ts";
import { toBucardoError } from "../postgres/failure.ts";
import { Bell } from "./bell.ts";
import { Connections } from "./connections.ts";
import type { DaemonContext } from "./context.ts";
import { Copier } from "./copier.ts";
import type { Job } from "./job.ts";
import { KickBook } from "./kick-book.ts";
import { rowsOf } from "./log-run.ts";
import { Pace } from "./pace.ts";
import { RunMaker, type Made } from "./run-maker.ts";
import { COPY_LOOK_MS, lookAgainMs, schedule, type Failure, type Situation } from "./schedule.ts";

/** So long a run that was broken off may take to end by itself. */
const ABANDON_MS = 1000;

/** Whom a loop tells what has happened, and whom it asks. */
export type Told = {
  /** After each run, when its end is recorded. */
  readonly settled: () => void;
  /** Whether a run that begins now has all that the kick is about. */
  readonly maySettle: (kick: number) => boolean;
  /** A run that began after these kicks has brought home what the target had. */
  readonly arrived: (kicks: readonly number[]) => void;
};

/**
 * Brings one target of one sync forward, run after run, by itself: no other target or sync waits for it. There is one loop per
 * sync and target, so two runs of the same pair never overlap.
 */
export class TargetLoop {
  readonly #context: DaemonContext;
  /** As they are for this sync. */
  readonly #settings = (): Settings => this.#context.settings(this.#job.definition.sync.id);
  readonly #bell = new Bell();
  readonly #abort = new AbortController();
  readonly #told: Told;
  readonly #connections: Connections;
  readonly done: Promise<void>;
  #job: Job;
  #stopping = false;
  #busy = false;
  #first = true;
  #changeSeen = false;
  #again = false;
  readonly #kicks = new KickBook();
  readonly #pace = new Pace();
  readonly #runs: RunMaker;
  readonly #copier: Copier;
  /** A copy in pieces has ended: the tables are to be brought to where the others are, or it is to be told why not. */
  #copied = false;
  #lastBegan: number | null = null;
  #lastEnded: number | null = null;
  #failure: (Failure & { readonly error: BucardoError }) | null = null;
  #shown = "";

  /** Begins when `before` has ended. */
  constructor(context: DaemonContext, job: Job, before: Promise<unknown>, told: Told) {
    this.#context = context;
    this.#job = job;
    this.#told = told;
    this.#connections = new Connections(context, this.#abort.signal, () => this.#job);
    this.#copier = new Copier(context, job, () => {
      this.#copied = true;
      this.#bell.ring();
    });
    // The schedule of whole copies begins now; that of others with their first run, which is now too.
    if (job.whole) this.#lastBegan = context.now();
    this.#runs = new RunMaker(context, job, this.#connections, this.#copier, this.#abort.signal, (kicks) => this.#settles(kicks));
    this.done = before.then(() => this.#loop());
  }

  get job(): Job {
    return this.#job;
  }

  get target(): string {
    return this.#job.definition.target;
  }

  /** The run that is going on, once it has a row in the history. */
  get running(): number | null {
    return this.#runs.running;
  }

  /** A run goes on, or is about to. */
  get busy(): boolean {
    return this.#busy || (this.#changeSeen && this.#heeds);
  }

  /** Nothing runs and no kick waits. */
  get quiet(): boolean {
    return !this.#busy && !this.#kicks.any && !this.#copier.active;
  }

  /** True when a change of the source would start a run: the watcher need not look for the others. */
  get listens(): boolean {
    return this.#heeds && !this.#busy && !this.#changeSeen;
  }

  get #heeds(): boolean {
    return this.#job.autokick && !this.#job.paused && this.#failure === null && !this.#stopping;
  }

  get lastError(): BucardoError | null {
    return this.#failure?.error ?? null;
  }

  /** All kicks that wait for this target, as the control database has them. */
  setKicks(ids: readonly number[]): void {
    this.#kicks.replace(ids);
    this.#bell.ring();
  }

  changed(): void {
    this.#changeSeen = true;
    this.#bell.ring();
  }

  /** Try again although the last run failed. */
  again(): void {
    this.#again = this.#failure !== null;
    this.#bell.ring();
  }

  /** New definitions; a target that stopped because of the old ones is tried again. */
  update(job: Job): void {
    if (JSON.stringify(job) === JSON.stringify(this.#job)) return;
    const reconnect = job.connections !== this.#job.connections;
    const resumed = this.#job.paused && !job.paused;
    this.#job = job;
    this.#copier.update(job);
    if (reconnect && !this.#busy) void this.#connections.close();
    if (resumed) this.#changeSeen = true;
    this.again();
  }

  /** Something outside changed (the lease, the clock): look again. */
  ring(): void {
    this.#bell.ring();
  }

  /** Finishes the current run and ends; `done` then resolves. */
  stop(): void {
    this.#stopping = true;
    this.#bell.ring();
  }

  /**
   * Breaks the current run off. Safe: it has either committed on the target or done nothing. A run that waits for a server that does not answer, or
   * for somebody's lock, loses its connections.
   */
  abort(): void {
    this.stop();
    this.#abort.abort(new BucardoError("interrupted", "the daemon was told to stop at once"));
    const timer = setTimeout(() => void this.#connections.close(), ABANDON_MS);
    this.done.finally(() => clearTimeout(timer)).catch(() => undefined);
  }

  async #loop(): Promise<void> {
    await using connections = this.#connections;
    try {
      await this.#turns(connections);
    } finally {
      this.#context.admission.forget(this);
      await this.#copier.stop();
      await this.#runs.end();
    }
    await this.#runs.flush();
  }

  async #turns(connections: Connections): Promise<void> {
    while (!this.#stopping) {
      const next = schedule(this.#situation());
      if (next.do === "run") {
        const leave = this.#context.admission.enter(this, this.#job.limits, () => this.#bell.ring());
        if (leave === null) await this.#bell.wait(COPY_LOOK_MS);
        else await this.#run(next.reason).finally(leave);
        continue;
      }
      this.#show(next.state);
      if (this.#context.contended()) await connections.close();
      const idleMs = connections.isOpen ? this.#settings().idle_close : null;
      const untilNext = next.at === null ? null : next.at - this.#context.now();
      const rang = await this.#bell.wait(untilNext === null || idleMs === null ? (untilNext ?? idleMs) : Math.min(untilNext, idleMs));
      if (!rang && idleMs !== null && this.#context.now() - (this.#lastEnded ?? 0) >= idleMs) await connections.close();
    }
  }

  get #copyHeld(): boolean {
    const { onetimecopy, source } = this.#job.definition;
    return onetimecopy !== 0 && this.#context.overQuota(source);
  }

  #situation(): Situation {
    return {
      now: this.#context.now(),
      controlHeld: this.#context.lease.held,
      paused: this.#job.paused,
      copyHeld: this.#copyHeld,
      // A whole copy is made when somebody asks for it.
      first: this.#first && !this.#job.whole,
      newKicks: this.#kicks.anyNew,
      kicks: this.#copier.active ? this.#kicks.anyNew : this.#kicks.any,
      changeSeen: this.#changeSeen,
      changeGapMs: this.#pace.gapMs(this.#context.now()),
      checktime: this.#job.checktime,
      lastBegan: this.#lastBegan,
      lastEnded: this.#lastEnded,
      failure: this.#failure,
      again: this.#again || (this.#copied && !this.#job.paused),
    };
  }

  async #run(reason: RunReason): Promise<void> {
    const job = this.#job;
    // Cleared before the run begins: whatever comes from now on asks for another one.
    this.#changeSeen = false;
    this.#again = false;
    this.#copied = false;
    this.#first = false;
    this.#busy = true;
    this.#lastBegan = this.#context.now();
    try {
      await this.#runs.make(job, reason, (end, kicks, others) => this.#note(end, kicks, others));
    } catch (error) {
      // The control database refused what we wrote, or the lease is gone: nothing of the run is lost by that.
      this.#lastEnded = this.#context.now();
      const { sync, target } = job.definition;
      const failure = toBucardoError(error, { sync: sync.name });
      const log = this.#context.log.child({ sync: sync.name, target });
      if (!this.#context.ending()) log.error({ err: failure, code: failure.code }, "The run could not be recorded.");
      this.#fail(failure, "backoff");
    } finally {
      this.#busy = false;
      // What it failed by may have been changed while it ran.
      if (job !== this.#job) this.again();
      if (job.connections !== this.#job.connections || this.#context.contended()) await this.#connections.close();
      this.#told.settled();
    }
  }

  /** Of the kicks that waited when the run began those that it may settle, judged as it begins. */
  #settles(kicks: readonly number[]): number[] {
    return kicks.filter((kick) => this.#told.maySettle(kick));
  }

  /** What it waited for has come: the next run settles it. */
  free(kick: number): void {
    this.#kicks.free(kick);
    this.#bell.ring();
  }

  #note(end: Made, kicks: readonly number[], others: readonly number[]): void {
    this.#lastEnded = this.#context.now();
    if (end.kind === "done") this.#pace.ran(this.#lastEnded, rowsOf(end.result));
    if (end.settlesKicks === false) this.#kicks.attempt(kicks);
    else this.#kicks.settle(kicks);
    if (end.kind === "done") {
      this.#told.arrived([...kicks, ...others]);
      this.#kicks.hold(others.filter((kick) => !this.#told.maySettle(kick)));
    }
    if (end.more === true && this.#job.autokick) this.#changeSeen = true;
    if (end.kind === "done") this.#failure = null;
    else this.#fail(end.error, end.error.retry);
  }

  #fail(error: BucardoError, retry: Failure["retry"]): void {
    const attempts = (this.#failure?.attempts ?? 0) + 1;
    const waitMs = backoff(retry === "now" ? Math.max(1, attempts - retries.voidedRunsAtOnce) : attempts, {
      base: this.#settings().retry_first,
      cap: this.#settings().retry_longest,
      random: this.#context.random,
    });
    const again = retry === "never" ? lookAgainMs(error.code, attempts, this.#settings().retry_stopped, this.#context.random) : undefined;
    this.#failure = { error, retry, attempts, at: this.#context.now(), waitMs, ...(again !== undefined && { lookAgainMs: again }) };
  }

  /** Tells `status`, only when it changed; an answer is not waited for. */
  #show(state: TargetWord): void {
    const failure = state === "Waiting" || state === "Stopped" ? this.#failure?.error : undefined;
    const held =
      state === "Waiting" && this.#copyHeld
        ? `The deltas of ${this.#job.definition.source} have reached their quota; the copy waits.`
        : null;
    const detail = held ?? (failure === undefined ? null : `${failure.message} ${failure.advice}`);
    const { definition } = this.#job;
    const shown = `${state} ${detail ?? ""}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    void this.#context.lease
      .use((session) => writeTargetState(session, definition.sync.id, definition.target, state, detail))
      .catch(() => (this.#shown = ""));
  }
}
