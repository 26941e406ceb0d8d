import { hostname } from "node:os";
import { backoff } from "../base/backoff.ts";
import { sleep } from "../base/sleep.ts";
import { withTimeout } from "../base/abort.ts";
import {
  announceDaemon,
  announceReady,
  announceStopped,
  announceUrl,
  endHolder,
  ownedByOther,
  readDaemon,
  takeDaemonLock,
} from "../control/daemon.ts";
import { BucardoError } from "../model/error.ts";
import { retries } from "../model/retry.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Log } from "../telemetry/log.ts";
import { isAlive } from "./pid-file.ts";

export type LeaseOptions = {
  readonly connect: () => Promise<Session>;
  readonly version: string;
  readonly reason: string | null;
  readonly log: Log;
  /** After every take, also the first: listen, close what a dead predecessor left, read again. */
  readonly taken: (session: Session) => Promise<void>;
  /** The connection is lost: start nothing until `taken` is called again. */
  readonly lost: () => void;
};

/** How long a first take waits for the backend of a predecessor that was killed on this host. */
const PREDECESSOR_MS = 5000;
const GOODBYE_MS = 5000;
const HEARTBEAT_MS = 5000;
const HEARTBEAT_LIMIT_MS = 10_000;

/**
 * The ownership of a control database: an advisory lock that dies with its connection. Everything that the daemon writes there goes
 * over this very connection, one statement at a time, so a daemon that lost the lease cannot write. When the connection is lost it is
 * taken again, for ever, unless somebody else owns it meanwhile: then `gone` aborts.
 */
export class Lease implements AsyncDisposable {
  readonly #options: LeaseOptions;
  readonly #gone = new AbortController();
  readonly #closing = new AbortController();
  readonly #started = new Date();
  #session: Session | null = null;
  #waiters: (() => void)[] = [];
  /** Of the last connection that held the lease. */
  #backendPid: number | null = null;
  #ready = false;
  #url: string | null = null;
  /** performance.now() from which nobody waits for a lost lease any more. */
  #giveUpAt = Number.POSITIVE_INFINITY;
  #keeper: Promise<void> = Promise.resolve();

  private constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Connects once and takes the lock; daemon-running names the owner. */
  static async take(options: LeaseOptions): Promise<Lease> {
    const lease = new Lease(options);
    const session = await options.connect();
    try {
      await lease.#lockFirst(session);
      await lease.#adopt(session);
    } catch (error) {
      await session.close();
      throw error;
    }
    lease.#keeper = lease.#keep();
    return lease;
  }

  get held(): boolean {
    return this.#session !== null;
  }

  /** Aborts when another daemon owns the control database. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /**
   * Does one thing on the control database: waits until the lease is held and repeats `work` when the connection is lost meanwhile.
   * So `work` is one statement that may safely run twice. Rejects when the lease is gone or closed.
   */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    for (;;) {
      const session = await this.#whenHeld();
      try {
        return await work(session);
      } catch (error) {
        if (!isLost(session, error)) throw error;
        this.#drop(session);
      }
    }
  }

  /** The daemon ends: what still wants to write waits only so long for a lost lease, then fails with interrupted. */
  limitWaiting(ms: number): void {
    this.#giveUpAt = performance.now() + ms;
    setTimeout(() => this.#wakeAll(), ms + 1).unref();
  }

  async ready(): Promise<void> {
    this.#ready = true;
    await this.use(announceReady);
  }

  /** Where the page is served, for whoever asks the control database. */
  async servesAt(url: string | null): Promise<void> {
    this.#url = url;
    await this.use((session) => announceUrl(session, url));
  }

  /** Says goodbye, when the control database still hears it, and gives the lease back. */
  async leave(lastWords: (session: Session) => Promise<void>): Promise<void> {
    const session = this.#session;
    if (session !== null) {
      const late = () => new BucardoError("timeout", "the control database does not answer");
      const goodbye = async (): Promise<void> => {
        await lastWords(session);
        await announceStopped(session);
      };
      await withTimeout(GOODBYE_MS, undefined, late, goodbye).catch(() => undefined);
    }
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new BucardoError("interrupted", "the daemon ends"));
    this.#wakeAll();
    await this.#keeper;
    await this.#session?.close();
    this.#session = null;
  }

  async #whenHeld(): Promise<Session> {
    for (;;) {
      this.#closing.signal.throwIfAborted();
      this.#gone.signal.throwIfAborted();
      if (this.#session !== null) return this.#session;
      if (performance.now() >= this.#giveUpAt)
        throw new BucardoError("interrupted", "the control database does not answer, and the daemon ends");
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  #wakeAll(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #drop(session: Session): void {
    if (this.#session !== session) return;
    this.#session = null;
    this.#options.log.warn("The control database is lost; nothing new starts until it answers again.");
    this.#options.lost();
    void session.close();
  }

  async #adopt(session: Session): Promise<void> {
    const { version, reason } = this.#options;
    await announceDaemon(session, { pid: process.pid, host: hostname(), version, reason, started: this.#started, url: this.#url });
    if (this.#ready) await announceReady(session);
    await this.#options.taken(session);
    this.#session = session;
    this.#backendPid = session.backendPid;
    session.lost.addEventListener("abort", () => this.#drop(session), { once: true });
    if (session.lost.aborted) this.#drop(session);
    this.#wakeAll();
  }

  /** Watches the connection and takes the lease again after a loss, until closed or gone. */
  async #keep(): Promise<void> {
    for (let attempt = 1; !this.#closing.signal.aborted && !this.#gone.signal.aborted;) {
      const session = this.#session;
      if (session !== null) {
        await this.#watch(session);
        attempt = 1;
        continue;
      }
      await sleep(backoff(attempt, retries.lease), this.#closing.signal).catch(() => undefined);
      if (!this.#closing.signal.aborted && !(await this.#retake())) attempt += 1;
    }
    this.#wakeAll();
  }

  /** Returns when the connection is lost, does not answer in time, or the lease is being closed. */
  async #watch(session: Session): Promise<void> {
    try {
      await sleep(HEARTBEAT_MS, AbortSignal.any([session.lost, this.#closing.signal]));
      const late = () => new BucardoError("connection-lost", "the control database does not answer");
      await withTimeout(HEARTBEAT_LIMIT_MS, this.#closing.signal, late, () => session.query(sql("lease.heartbeat", "select 1")));
    } catch {
      if (!this.#closing.signal.aborted) this.#drop(session);
    }
  }

  async #retake(): Promise<boolean> {
    const { connect, log } = this.#options;
    let session: Session | null = null;
    try {
      session = await connect();
      if (!(await takeDaemonLock(session)) && !(await this.#takeFromMyself(session))) {
        this.#gone.abort(await ownedByOther(session));
        await session.close();
        return true;
      }
      await this.#adopt(session);
      log.info("The control database answers again.");
      return true;
    } catch (error) {
      log.debug({ err: error }, "The control database does not answer yet.");
      await session?.close();
      return false;
    }
  }

  async #lockFirst(session: Session): Promise<void> {
    for (const end = Date.now() + PREDECESSOR_MS; !(await takeDaemonLock(session));) {
      const owner = await readDaemon(session);
      const mayEnd = owner === null || (owner.host === hostname() && !isAlive({ pid: owner.pid, mark: "-" })) || owner.stopped !== null;
      if (!mayEnd || Date.now() > end) throw await ownedByOther(session);
      await sleep(100);
    }
  }

  /** After a broken network the server may still keep our old connection and with it the lock: end it. False: somebody else holds it. */
  async #takeFromMyself(session: Session): Promise<boolean> {
    if (this.#backendPid === null || !(await endHolder(session, this.#backendPid))) return await takeDaemonLock(session);
    for (const end = Date.now() + PREDECESSOR_MS; Date.now() < end; await sleep(50)) {
      if (await takeDaemonLock(session)) return true;
    }
    throw new BucardoError("connection-lost", "the old connection still holds the lease");
  }
}

function isLost(session: Session, error: unknown): boolean {
  return session.lost.aborted || (error instanceof BucardoError && error.code === "connection-lost");
}
