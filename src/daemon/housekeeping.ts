import { backoff } from "../base/backoff.ts";
import { sleep } from "../base/sleep.ts";
import { countDeltas, lagOf, type Waiting } from "../capture/pending.ts";
import { purge } from "../capture/purge.ts";
import { releaseSync } from "../capture/release.ts";
import { captureVersion } from "../capture/schema.ts";
import { writeSourceState } from "../control/source-state.ts";
import { forgetSettled, writeLag, writeTargetState } from "../control/target-state.ts";
import type { Lag } from "../model/run.ts";
import { retries } from "../model/retry.ts";
import { closedBy } from "../postgres/closed-by.ts";
import type { Session } from "../postgres/session.ts";
import { Bell } from "./bell.ts";
import type { DaemonContext } from "./context.ts";
import { deltaBytes, preparedHolders } from "./delta-size.ts";
import { describeForecast } from "./describe-forecast.ts";
import { addSample, forecast, worstHolder, type Forecast, type Sample } from "./quota.ts";

/** What a keeper looks after: the targets of its source that are replicated. */
export type Kept = {
  readonly syncId: string;
  readonly sync: string;
  readonly target: string;
  /** Under which name the lag is shown, and what it comes to with that of the other direction. */
  readonly label: string;
  readonly lag: (own: Lag) => Lag;
};

/** A round may take this share of the time between two rounds. */
const ROUND_SHARE = 20;

/** Looks after one source: measures the lag, purges delta tables, guards their disk quota. One session; a failure is tried again later. */
export class SourceKeeper {
  readonly #context: DaemonContext;
  readonly #database: string;
  readonly #kept: () => readonly Kept[];
  readonly #bell = new Bell();
  readonly #stop = new AbortController();
  readonly done: Promise<void>;
  #samples: Sample[] = [];
  #forecast: Forecast | null = null;
  #lastPurge = -Infinity;
  #purgeAsked = false;
  /** The snapshot of the last purge: what was written since is not at rest. */
  #quiet: string | null = null;
  #warned = "";
  #lagging = new Set<string>();

  constructor(context: DaemonContext, database: string, kept: () => readonly Kept[]) {
    this.#context = context;
    this.#database = database;
    this.#kept = kept;
    this.done = this.#loop();
  }

  /** True while the quota is reached: no copy begins. */
  get overQuota(): boolean {
    return this.#forecast?.reached === true && this.#context.settings().delta_quota_policy === "pause";
  }

  /** A run settled: deltas may be purged. */
  purgeSoon(): void {
    this.#purgeAsked = true;
  }

  ring(): void {
    this.#bell.ring();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#bell.ring();
    await this.done;
  }

  async #loop(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted;) {
      try {
        await using session = await this.#context.open(this.#database, this.#stop.signal);
        using _ = closedBy(this.#stop.signal, session);
        failures = 0;
        await this.#rounds(session);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        failures += 1;
        this.#context.log.debug({ db: this.#database, err: error }, "Housekeeping of the source is put off.");
      }
      const pause =
        failures === 0 ? this.#context.settings().lag_interval : backoff(failures, { ...retries.source, random: this.#context.random });
      await sleep(pause, this.#stop.signal).catch(() => undefined);
    }
  }

  /** Returns when others need the connection more. */
  async #rounds(session: Session): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const began = this.#context.now();
      await this.#round(session);
      const took = this.#context.now() - began;
      if (this.#context.contended()) return;
      await this.#bell.wait(Math.max(this.#context.settings().lag_interval, took * ROUND_SHARE));
      if (this.#context.contended()) return;
    }
  }

  async #round(session: Session): Promise<void> {
    if ((await captureVersion(session)) === 0) return;
    const kept = this.#kept();
    const waiting = await countDeltas(session, [...new Set(kept.map((one) => one.syncId))]);
    await this.#writeLag(kept, waiting);
    const now = this.#context.now();
    const due = now - this.#lastPurge;
    if (due >= this.#context.settings().purge_interval || (this.#purgeAsked && due >= this.#context.settings().lag_interval))
      await this.#purge(session, kept, waiting);
  }

  async #writeLag(kept: readonly Kept[], waiting: readonly Waiting[]): Promise<void> {
    for (const { syncId, target, label, lag: whole } of kept) {
      const lag = whole(lagOf(waiting.filter((one) => one.syncId === syncId && one.target === target)));
      const key = `${syncId} ${target}`;
      // Zero is written once, not every few seconds.
      if (lag.deltas === 0 && !this.#lagging.has(key) && this.#lastPurge !== -Infinity) continue;
      if (lag.deltas === 0) this.#lagging.delete(key);
      else this.#lagging.add(key);
      await this.#context.lease.use((control) => writeLag(control, syncId, label, lag));
    }
  }

  async #purge(session: Session, kept: readonly Kept[], waiting: readonly Waiting[]): Promise<void> {
    const began = this.#context.now();
    this.#lastPurge = began;
    this.#purgeAsked = false;
    const report = await purge(session, { quiet: this.#quiet });
    this.#quiet = report.snapshot;
    const { log } = this.#context;
    const settings = this.#context.settings();
    if (report.emptied > 0) log.debug({ db: this.#database, bytes: report.bytesFreed, ms: this.#context.now() - began }, "Purged.");
    this.#samples = addSample(this.#samples, { at: began, bytes: await deltaBytes(session) });
    this.#forecast = forecast(this.#samples, settings.delta_quota);
    const prepared = report.held > 0 ? await preparedHolders(session) : [];
    const notes = [...describeForecast(this.#forecast, settings.delta_quota), ...prepared.map(describeHolder)];
    const note = notes.length === 0 ? null : notes.join(" ");
    if (note !== null && note !== this.#warned) log.warn({ db: this.#database }, note);
    this.#warned = note ?? "";
    const { bytes, growth, secondsLeft } = this.#forecast;
    await this.#context.lease.use((control) => writeSourceState(control, this.#database, { bytes, growth, secondsLeft, note }));
    if (this.#forecast.reached && settings.delta_quota_policy === "release") await this.#release(session, kept, waiting);
  }

  /** Gives up the target that holds most deltas back: the source's disk matters more. It then needs a copy. */
  async #release(session: Session, kept: readonly Kept[], waiting: readonly Waiting[]): Promise<void> {
    const holders = kept.map((one) => ({
      ...one,
      deltas: waiting
        .filter((each) => each.syncId === one.syncId && each.target === one.target)
        .reduce((sum, each) => sum + each.deltas, 0),
    }));
    const worst = worstHolder(holders.filter((one) => one.deltas > 0));
    if (worst === null) return;
    await releaseSync(session, worst.syncId, { target: worst.target });
    await purge(session, { rotateBytes: 1 });
    await purge(session, { rotateBytes: Number.POSITIVE_INFINITY });
    const detail = `The deltas of ${this.#database} reached the quota, so this target was released: \`bucardo validate ${worst.sync}\`, then a copy (onetimecopy=1).`;
    this.#context.log.error({ db: this.#database, sync: worst.sync, target: worst.target, code: "quota" }, detail);
    await this.#context.lease.use((control) => forgetSettled(control, worst.syncId, worst.label));
    await this.#context.lease.use((control) => writeTargetState(control, worst.syncId, worst.label, "Stopped", detail));
  }
}

function describeHolder(of: { readonly gid: string; readonly ageSeconds: number }): string {
  return `Prepared transaction '${of.gid}', ${Math.round(of.ageSeconds)} s old, holds deltas back: commit or roll it back.`;
}
