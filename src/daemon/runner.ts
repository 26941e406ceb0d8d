import type { WaitingKick } from "../control/kick.ts";
import { writeTargetState } from "../control/target-state.ts";
import type { DaemonContext } from "./context.ts";
import type { SyncPlan } from "./definitions.ts";
import { throttled } from "./progress.ts";
import { Arrivals } from "./arrivals.ts";
import type { Kept } from "./housekeeping.ts";
import { edgesOf, type Job } from "./job.ts";
import type { Lag } from "../model/run.ts";
import { TargetLoop } from "./target-loop.ts";
import type { Listener } from "./wake-up.ts";

/** However many runs there are. */
const ANNOUNCE_MS = 200;

/** Owns one sync: a loop per target. */
export class Runner {
  readonly #context: DaemonContext;
  readonly #loops = new Map<string, TargetLoop>();
  /** Also those that only finish their run. */
  readonly #alive = new Set<TargetLoop>();
  readonly #ending = new Set<Promise<void>>();
  readonly #settled: (databases: readonly string[]) => void;
  readonly #announced = throttled<"syncdone" | "synckill" | "syncsleep">(ANNOUNCE_MS, async (word) =>
    this.#context.announce(`${word}_${this.#plan.name}`),
  );
  readonly #arrivals = new Arrivals();
  readonly #lags = new Map<string, Lag>();
  #plan: SyncPlan;
  #stopping = false;

  /** `settled` is called after each run of any target, with the two databases. */
  constructor(context: DaemonContext, plan: SyncPlan, settled: (databases: readonly string[]) => void) {
    this.#context = context;
    this.#settled = settled;
    this.#plan = { ...plan, jobs: [], idle: [] };
    this.update(plan);
  }

  get plan(): SyncPlan {
    return this.#plan;
  }

  /** Runs of this sync that are going on. */
  get running(): number[] {
    return [...this.#alive].flatMap((loop) => loop.running ?? []);
  }

  /** Takes over new definitions: what is the same goes on, a run that is going on ends as it began. */
  update(plan: SyncPlan): void {
    const sourceChanged = plan.source !== this.#plan.source;
    this.#plan = plan;
    for (const [target, loop] of this.#loops) {
      if (sourceChanged || !plan.jobs.some((job) => job.definition.target === target)) this.#drop(target, loop);
    }
    for (const job of plan.jobs) {
      const { target } = job.definition;
      const loop = this.#loops.get(target);
      if (loop !== undefined) loop.update(job);
      else if (!this.#stopping) this.#loops.set(target, this.#begin(target, job));
    }
    for (const { target, why } of plan.idle) {
      void this.#context.lease.use((session) => writeTargetState(session, plan.id, target, "Paused", why)).catch(() => undefined);
    }
  }

  setKicks(waiting: readonly WaitingKick[]): void {
    this.#arrivals.keep(new Set(waiting.map(({ id }) => id)));
    for (const [target, loop] of this.#loops) {
      loop.setKicks(waiting.filter((kick) => kick.sync === this.#plan.id && kick.target === target).map((kick) => kick.id));
    }
  }

  again(): void {
    for (const loop of this.#loops.values()) loop.again();
  }

  ring(): void {
    for (const loop of this.#loops.values()) loop.ring();
  }

  /** Whom a change of this database concerns. */
  listeners(source: string): Listener[] {
    return [...this.#loops.values()].flatMap((loop) =>
      edgesOf(loop.job)
        .filter((edge) => edge.source === source)
        .map(({ target }) => ({
          syncId: this.#plan.id,
          sync: this.#plan.name,
          target,
          listens: loop.listens,
          busy: loop.busy,
          changed: () => loop.changed(),
        })),
    );
  }

  /** What waits on this database for others; where it goes both ways, the lag of a target is that of both. */
  kept(source: string): Kept[] {
    return this.#plan.jobs.flatMap((job) =>
      edgesOf(job)
        .filter((edge) => edge.source === source)
        .map(({ target }) => ({
          syncId: this.#plan.id,
          sync: this.#plan.name,
          target,
          label: job.definition.target,
          lag: (own: Lag) => this.#lagOf(job, source, own),
        })),
    );
  }

  #lagOf(job: Job, source: string, own: Lag): Lag {
    if (job.back === null) return own;
    this.#lags.set(`${source} ${job.definition.target}`, own);
    const both = edgesOf(job).flatMap((edge) => this.#lags.get(`${edge.source} ${job.definition.target}`) ?? []);
    return { deltas: both.reduce((sum, lag) => sum + lag.deltas, 0), ageSeconds: Math.max(...both.map((lag) => lag.ageSeconds)) };
  }

  /** Finishes the current runs. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const [target, loop] of this.#loops) this.#drop(target, loop);
    await Promise.all(this.#ending);
  }

  /** Breaks the current runs off; `stop` then ends soon. */
  abort(): void {
    for (const loop of this.#alive) loop.abort();
  }

  #begin(target: string, job: SyncPlan["jobs"][number]): TargetLoop {
    // Never two runs of one sync and target: a loop that is still ending for this pair goes first.
    const before = Promise.all(this.#ending);
    const loop: TargetLoop = new TargetLoop(this.#context, job, before, {
      settled: () => this.#afterRun(target, loop),
      maySettle: (kick) => this.#arrivals.complete(kick, target, this.#sources()),
      arrived: (kicks) => this.#arrive(target, kicks),
    });
    this.#alive.add(loop);
    return loop;
  }

  #drop(target: string, loop: TargetLoop): void {
    this.#loops.delete(target);
    loop.stop();
    const ended = loop.done.finally(() => {
      this.#ending.delete(ended);
      this.#alive.delete(loop);
    });
    this.#ending.add(ended);
  }

  /** Targets whose loops bring home what another source has. */
  #sources(): string[] {
    return this.#plan.jobs.filter((job) => job.back !== null).map((job) => job.definition.target);
  }

  #arrive(target: string, kicks: readonly number[]): void {
    const sources = this.#sources();
    for (const kick of kicks) {
      if (!sources.includes(target) || !this.#arrivals.arrive(kick, target)) continue;
      for (const [other, loop] of this.#loops) if (this.#arrivals.complete(kick, other, sources)) loop.free(kick);
    }
  }

  /** Names of version 5, for whoever waits on them: done when all targets are, killed at once; asleep: tried again by itself. */
  #afterRun(target: string, loop: TargetLoop): void {
    const error = loop.lastError;
    const done = error === null && [...this.#loops.values()].every((each) => each.quiet);
    const word = error?.retry === "never" ? "synckill" : error !== null ? "syncsleep" : done ? "syncdone" : null;
    if (word !== null) this.#announced.push(word);
    this.#settled([loop.job.definition.source, target]);
  }
}
