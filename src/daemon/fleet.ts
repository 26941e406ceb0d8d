import type { WaitingKick } from "../control/kick.ts";
import type { DaemonContext } from "./context.ts";
import type { SyncPlan } from "./definitions.ts";
import { SourceKeeper, type Kept } from "./housekeeping.ts";
import { edgesOf, type Job } from "./job.ts";
import { Runner } from "./runner.ts";
import { Watcher } from "./wake-up.ts";

/** Everything that works: a runner per sync, a watcher and a keeper per source. Grows and shrinks with the definitions. */
export class Fleet {
  readonly #context: DaemonContext;
  readonly #runners = new Map<string, Runner>();
  readonly #watchers = new Map<string, Watcher>();
  readonly #keepers = new Map<string, SourceKeeper>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(context: DaemonContext) {
    this.#context = context;
  }

  /** Active syncs. */
  get size(): number {
    return this.#runners.size;
  }

  /** Runs that are going on. */
  get running(): number[] {
    return [...this.#runners.values()].flatMap((runner) => runner.running);
  }

  update(plans: readonly SyncPlan[]): void {
    for (const [id, runner] of this.#runners) {
      if (plans.some((plan) => plan.id === id)) continue;
      this.#runners.delete(id);
      this.#leave(runner.stop());
      this.#context.announce(`deactivated_sync_${runner.plan.name}`);
    }
    for (const plan of plans) {
      const runner = this.#runners.get(plan.id);
      if (runner !== undefined) runner.update(plan);
      else {
        this.#runners.set(plan.id, new Runner(this.#context, plan, (databases) => this.#settled(databases)));
        this.#context.announce(`activated_sync_${plan.name}`);
      }
    }
    const jobs = plans.flatMap((plan) => plan.jobs);
    const sourcesOf = (some: readonly Job[]) => new Set(some.flatMap(edgesOf).map(({ source }) => source));
    const sources = sourcesOf(jobs);
    const watched = sourcesOf(jobs.filter((job) => job.autokick));
    this.#keep(
      this.#watchers,
      watched,
      (source) =>
        new Watcher(
          this.#context,
          source,
          () => this.#listeners(source),
          (sync) => this.#context.kick(sync),
        ),
    );
    this.#keep(this.#keepers, sources, (source) => new SourceKeeper(this.#context, source, () => this.#kept(source)));
  }

  setKicks(waiting: readonly WaitingKick[]): void {
    for (const runner of this.#runners.values()) runner.setKicks(waiting);
  }

  /** Tries the sync again although it stopped; null: every sync. */
  again(syncIdOrName: string | null): void {
    for (const runner of this.#runners.values()) {
      if (syncIdOrName === null || runner.plan.id === syncIdOrName || runner.plan.name === syncIdOrName) runner.again();
    }
  }

  ring(): void {
    for (const runner of this.#runners.values()) runner.ring();
  }

  /** Connections are short: whoever holds some without need lets them go. */
  share(): void {
    this.ring();
    for (const one of [...this.#watchers.values(), ...this.#keepers.values()]) one.ring();
  }

  overQuota(source: string): boolean {
    return this.#keepers.get(source)?.overQuota ?? false;
  }

  /** Finishes the current runs and ends everything. */
  async stop(): Promise<void> {
    const runners = [...this.#runners.values()].map((runner) => runner.stop());
    const others = [...this.#watchers.values(), ...this.#keepers.values()].map((one) => one.stop());
    await Promise.all([...runners, ...others, ...this.#leaving]);
  }

  abort(): void {
    for (const runner of this.#runners.values()) runner.abort();
  }

  /** What arrived on a database may have to go on from there. */
  #settled(databases: readonly string[]): void {
    for (const database of databases) {
      this.#watchers.get(database)?.ring();
      this.#keepers.get(database)?.purgeSoon();
    }
  }

  #keep<One extends { stop(): Promise<void> }>(map: Map<string, One>, wanted: ReadonlySet<string>, make: (source: string) => One): void {
    for (const [source, one] of map) {
      if (wanted.has(source)) continue;
      map.delete(source);
      this.#leave(one.stop());
    }
    for (const source of wanted) if (!map.has(source)) map.set(source, make(source));
  }

  #leave(end: Promise<void>): void {
    const leaving: Promise<void> = end.finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  #listeners(source: string): ReturnType<Runner["listeners"]> {
    return [...this.#runners.values()].flatMap((runner) => runner.listeners(source));
  }

  #kept(source: string): Kept[] {
    return [...this.#runners.values()].flatMap((runner) => runner.kept(source));
  }
}
