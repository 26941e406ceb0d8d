import { backoff } from "../base/backoff.ts";
import { kickChannel, syncOfKick } from "../control/announce.ts";
import { withTimeout } from "../base/abort.ts";
import { captureVersion } from "../capture/schema.ts";
import { LOCK_CLASS, LOCK_ASLEEP, WAKE_CHANNEL } from "../capture/name.ts";
import { somethingPending } from "../capture/pending.ts";
import { BucardoError } from "../model/error.ts";
import { retries } from "../model/retry.ts";
import { closedBy } from "../postgres/closed-by.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, sql } from "../postgres/sql.ts";
import { Bell } from "./bell.ts";
import type { DaemonContext } from "./context.ts";
import { SAFETY_POLL_MS, step, type Phase } from "./wake-up-state.ts";

/** A target loop as the watcher of its source sees it. */
export type Listener = {
  readonly syncId: string;
  readonly sync: string;
  readonly target: string;
  /** A change would start a run. */
  readonly listens: boolean;
  /** A run is going on: more changes are likely. */
  readonly busy: boolean;
  changed(): void;
};

/** A server that does not answer for so long is taken for dead. */
const ANSWER_MS = 15_000;
/** After a look that took longer than this the next one waits so many times the rest, but no longer than that. */
const CHEAP_LOOK_MS = 5;
const LOOK_SHARE = 10;
/** A watcher keeps its connection at least so long when connections are short. */
const TURN_MS = 1000;
const LONGEST_PAUSE_MS = 1000;
/** So long a small run takes; writers that commit meanwhile notify as well. */
const RUN_ALONE_MS = 10;

/** Watches one source for changes and tells the loops that wait for them. Reconnects for ever; a lost source is the loops' trouble to report. */
export class Watcher {
  readonly #context: DaemonContext;
  readonly #database: string;
  readonly #listeners: () => readonly Listener[];
  readonly #kicked: (sync: string) => void;
  readonly #bell = new Bell();
  readonly #stop = new AbortController();
  readonly done: Promise<void>;
  #phase: Phase = "awake";

  constructor(context: DaemonContext, database: string, listeners: () => readonly Listener[], kicked: (sync: string) => void) {
    this.#context = context;
    this.#database = database;
    this.#listeners = listeners;
    this.#kicked = kicked;
    this.done = this.#loop();
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** A run ended or began: what is looked for changed. */
  ring(): void {
    this.#bell.ring();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new BucardoError("interrupted", "the daemon ends"));
    this.#bell.ring();
    await this.done;
  }

  async #loop(): Promise<void> {
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      try {
        await using session = await this.#context.open(this.#database, this.#stop.signal);
        using _ = closedBy(this.#stop.signal, session);
        attempt = 0;
        await this.#watch(session);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#context.log.debug({ db: this.#database, err: error }, "The source cannot be watched now.");
        await this.#bell.wait(backoff(attempt, { ...retries.source, random: this.#context.random }));
      }
    }
  }

  async #watch(session: Session): Promise<void> {
    const flagUsable = await this.#prepare(session);
    const channels = new Set<string>();
    let phase: Phase = "awake";
    let seen = "";
    let lastBusy = this.#context.now();
    const opened = lastBusy;
    let lastLook = -Infinity;
    let lookMs = 0;
    while (!this.#stop.signal.aborted) {
      const now = this.#context.now();
      await this.#listenToKicks(session, channels);
      const snapshot = await this.#answer(session, () => currentSnapshot(session));
      const listening = this.#listeners().filter((one) => one.listens);
      // The look is the truth; the snapshot only tells when another look cannot find anything new.
      const due = listening.length > 0 && (snapshot !== seen || now - lastLook >= SAFETY_POLL_MS);
      const early = lastLook + Math.min(Math.max(0, lookMs - CHEAP_LOOK_MS) * LOOK_SHARE, LONGEST_PAUSE_MS) - now;
      if (due && early > 0) {
        // Put off, not dropped: nobody sleeps with a look owed.
        await this.#bell.wait(early);
        continue;
      }
      let found = false;
      if (due) {
        found = await this.#answer(session, () => this.#look(session, listening));
        seen = snapshot;
        lastLook = now;
        lookMs = this.#context.now() - now;
      }
      const busy = found || this.#listeners().some((one) => one.busy);
      if (busy) lastBusy = now;
      const next = step({ now, phase, busy, lastBusy, flagUsable, fastMs: this.#context.settings().poll_interval });
      phase = next.phase;
      if (next.flag === "lower") await lowerFlag(session);
      if (next.flag === "raise" && (await raiseFlag(session))) {
        phase = "asleep";
        this.#phase = phase;
        seen = "";
        continue; // one more look: whoever decided not to notify has ended, so it sees them all
      }
      this.#phase = phase;
      if (await this.#bell.wait(next.waitMs)) seen = "";
      // Others wait for a connection: take turns. The next session looks first, so nothing is missed.
      if (this.#context.contended() && this.#context.now() - opened >= TURN_MS) break;
    }
    if (phase === "asleep") await lowerFlag(session);
  }

  async #prepare(session: Session): Promise<boolean> {
    session.lost.addEventListener("abort", () => this.#bell.ring(), { once: true });
    await session.listen(WAKE_CHANNEL, (payload) => {
      const kick = syncOfKick(payload);
      if (kick !== null) return this.#kicked(kick);
      // Where only one could be meant its run is the look, and is left alone with the source for a moment.
      const [only, ...others] = this.#listeners();
      if (!only?.listens || others.length > 0) return this.#bell.ring();
      only.changed();
      setTimeout(() => this.#bell.ring(), RUN_ALONE_MS).unref();
    });
    const { most } = await session.one<{ most: string }>(
      sql("wake-up.prepared", "select current_setting('max_prepared_transactions') as most"),
    );
    return most === "0";
  }

  /** The channels of version 4, one per sync. */
  async #listenToKicks(session: Session, channels: Set<string>): Promise<void> {
    for (const { sync } of this.#listeners()) {
      const channel = kickChannel(sync);
      if (channel === null || channels.has(channel)) continue;
      channels.add(channel);
      await this.#answer(session, () => session.listen(channel, () => this.#kicked(sync)));
    }
  }

  async #look(session: Session, listening: readonly Listener[]): Promise<boolean> {
    if ((await captureVersion(session)) === 0) return false;
    const pending = await somethingPending(session, [...new Set(listening.map((one) => one.syncId))]);
    const waiting = listening.filter((one) => pending.some((each) => each.syncId === one.syncId && each.target === one.target));
    for (const one of waiting) one.changed();
    return waiting.length > 0;
  }

  #answer<T>(session: Session, work: () => Promise<T>): Promise<T> {
    const late = () => new BucardoError("connection-lost", "the source does not answer", { db: session.name });
    return withTimeout(ANSWER_MS, this.#stop.signal, late, work);
  }
}

async function currentSnapshot(session: Session): Promise<string> {
  const { snapshot } = await session.one<{ snapshot: string }>(
    prepared("wake-up.poll", "select txid_current_snapshot()::text as snapshot"),
  );
  return snapshot;
}

/** By try, never by waiting: a prepared transaction could hold it for days. */
async function raiseFlag(session: Session): Promise<boolean> {
  const { raised } = await session.one<{ raised: boolean }>(
    prepared("wake-up.raise-flag", "select pg_try_advisory_lock($1, $2) as raised", [LOCK_CLASS, LOCK_ASLEEP]),
  );
  return raised;
}

async function lowerFlag(session: Session): Promise<void> {
  await session.query(prepared("wake-up.lower-flag", "select pg_advisory_unlock($1, $2)", [LOCK_CLASS, LOCK_ASLEEP]));
}
