import { hostname } from "node:os";
import { resolveSettings, type Settings } from "../config/setting.ts";
import type { AlertWatch } from "../alert/watch.ts";
import { announce, type Announcement } from "../control/announce.ts";
import { waitingKicks } from "../control/kick.ts";
import { CONTROL_CHANNEL, dropStaleRequests } from "../control/request.ts";
import { closeStaleRuns } from "../control/run.ts";
import { readSettings } from "../control/setting.ts";
import { dropStrayStates } from "../control/target-state.ts";
import { processLimit } from "../postgres/limit.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { run } from "../replicate/run.ts";
import { mailForCode, watchForAlerts } from "./alerting.ts";
import { Admission } from "./admission.ts";
import { Bell } from "./bell.ts";
import type { DaemonContext } from "./context.ts";
import { planSyncs, readDefinitions, type Definitions } from "./definitions.ts";
import { answerRequests } from "./answer-requests.ts";
import { Fleet } from "./fleet.ts";
import { checkHost } from "./host-check.ts";
import { Hints } from "./hints.ts";
import { Historian } from "./historian.ts";
import { Lease } from "./lease.ts";
import { readLockFile } from "./lock-file.ts";
import type { DaemonOptions } from "./options.ts";
import { OutsideKicks } from "./outside-kicks.ts";
import { prune } from "./prune.ts";
import { SettingsBook } from "./settings-book.ts";
import { Tally } from "./tally.ts";

const DEFINITIONS_MS = 60_000;
const HINTS_MS = 5000;
const TICK_MS = 250;
const PRUNE_MS = 300_000;
/** How long the end of a run waits for a lost control database once the daemon is told to stop. */
const LAST_WORDS_MS = 5000;

/**
 * The daemon of one control database, from taking the lease to its end. It can live in any process; main.ts gives it one of its own.
 * Notifications are hints: kicks and requests are read again every few seconds, definitions every minute.
 */
export class Daemon implements AsyncDisposable {
  readonly #options: DaemonOptions;
  readonly #bell = new Bell();
  readonly #hints = new Hints();
  readonly #last = { definitions: -Infinity, hints: -Infinity, prune: -Infinity };
  readonly #kicks = new OutsideKicks({
    use: (work) => this.#lease.use(work),
    allowed: () => this.#settings.of().notify_kicks,
    announce: (event) => this.#announce(event),
  });
  /** What was done since the start, for metrics. */
  readonly tally = new Tally();
  #definitions: Definitions | null = null;
  readonly #settings: SettingsBook;
  #alerts: AlertWatch | null = null;
  #lease!: Lease;
  #historian!: Historian;
  #fleet!: Fleet;
  #ending = false;
  /** No sync is active. */
  #idle = false;
  #stop: { readonly why: string } | null = null;
  #whole: Promise<void> = Promise.resolve();

  private constructor(options: DaemonOptions) {
    this.#options = options;
    this.#settings = new SettingsBook(options.overrides);
  }

  /** Resolves when the lease is held, definitions are loaded and the first runs are scheduled. Errors: daemon-running and those of connecting. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options);
    await daemon.#begin();
    return daemon;
  }

  /** Resolves when the daemon has ended; rejects with daemon-running when another one owns the control database. */
  get done(): Promise<void> {
    return this.#whole;
  }

  /** As they were read last. */
  get settings(): Settings {
    return this.#settings.of();
  }

  /** True while it is up and has not been told to end. */
  get serves(): boolean {
    return this.#lease.held && this.#stop === null;
  }

  /** Somebody serves its page there; null: nowhere. */
  async servesAt(url: string | null): Promise<void> {
    await this.#lease.servesAt(url);
  }

  /** Finishes the current runs, then ends. */
  stop(why: string): void {
    if (this.#stop === null) this.#options.log.info(`Stopping: ${why}. Current runs are finished first.`);
    this.#stop ??= { why };
    this.#bell.ring();
  }

  /** Breaks the current runs off and ends. */
  abort(why: string): void {
    this.stop(why);
    this.#fleet.abort();
  }

  reload(): void {
    this.#hints.definitions = true;
    this.#bell.ring();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort("the process ends");
    await this.#whole.catch(() => undefined);
  }

  async #begin(): Promise<void> {
    const { connectControl, version, reason, log } = this.#options;
    this.#lease = await Lease.take({
      connect: connectControl,
      version,
      reason,
      log,
      taken: (session) => this.#taken(session),
      lost: () => this.#fleet?.ring(),
    });
    try {
      this.#historian = new Historian(this.#lease, this.tally);
      this.#fleet = new Fleet(this.#context());
      processLimit.onContention = () => this.#fleet.share();
      this.#announce("boot");
      await this.#lease.use(dropStaleRequests);
      checkHost(resolveSettings(await this.#lease.use(readSettings), this.#options.overrides).host_safety_check, hostname());
      await this.#readDefinitions();
      await this.#readKicks();
      await this.#lease.ready();
      await this.#lease.use((session) => announce(session, "started"));
    } catch (error) {
      await this.#fleet?.stop();
      await this.#lease[Symbol.asyncDispose]();
      throw error;
    }
    this.#alerts = watchForAlerts(this.#lease, this.#settings, this.#options);
    void this.#alerts.say({ word: "started", why: reason });
    log.info({ pid: process.pid }, `Bucardo ${version} runs with ${this.#fleet.size} active syncs.`);
    this.#whole = this.#direct();
    this.#whole.catch(() => undefined);
  }

  #context(): DaemonContext {
    return {
      lease: this.#lease,
      run,
      log: this.#options.log,
      tally: this.tally,
      open: async (name, signal) => {
        const database = this.#definitions?.databases.get(name);
        if (database === undefined) throw new BucardoError("unknown-object", `Unknown database "${name}".`, { db: name });
        return await this.#options.connect(database, signal);
      },
      settings: (syncId) => this.#settings.of(syncId),
      now: () => performance.now(),
      random: Math.random,
      definitionsChanged: () => this.reload(),
      contended: () => processLimit.contended,
      kick: (sync) => this.#kicks.kick(sync),
      mail: mailForCode(this.#settings, this.#options),
      lockFile: (sync) => readLockFile(this.#options.piddir, sync),
      admission: new Admission(),
      announce: (event) => this.#announce(event),
      overQuota: (source) => this.#fleet?.overQuota(source) ?? false,
      version: this.#options.version,
      ending: () => this.#ending,
    };
  }

  async #taken(session: Session): Promise<void> {
    await closeStaleRuns(session, this.#fleet?.running ?? []);
    await session.listen(CONTROL_CHANNEL, (payload) => {
      this.#hints.hear(payload);
      this.#bell.ring();
    });
    await this.#kicks.listen(session);
    this.#hints.all();
    this.#bell.ring();
  }

  #announce(event: Announcement): void {
    void this.#lease.use((session) => announce(session, event)).catch(() => undefined);
  }

  /** The loop of the daemon itself: hears, looks, and ends. */
  async #direct(): Promise<void> {
    const { log } = this.#options;
    try {
      while (!this.#mustEnd()) {
        try {
          await this.#turn();
        } catch (error) {
          if (this.#lease.gone.aborted) break;
          log.error({ err: error }, "The daemon could not read the control database; it tries again.");
        }
        await this.#bell.wait(TICK_MS);
      }
    } finally {
      await this.#end();
    }
    if (this.#lease.gone.aborted) throw this.#lease.gone.reason;
  }

  #mustEnd(): boolean {
    if (this.#stop === null && this.#options.stopAsked?.() === true) this.stop("the stop file is there");
    return this.#stop !== null || this.#lease.gone.aborted;
  }

  async #turn(): Promise<void> {
    // While the control database is lost there is nothing to read; the stop file must be seen all the same.
    if (!this.#lease.held) return;
    const now = performance.now();
    const { definitions, hints, prune: pruned } = this.#last;
    if (this.#hints.definitions || now - definitions >= DEFINITIONS_MS) await this.#readDefinitions();
    const hintsDue = now - hints >= HINTS_MS;
    if (hintsDue) this.#last.hints = now;
    if (this.#hints.kicks || hintsDue) await this.#readKicks();
    if (this.#hints.requests || hintsDue) await this.#answer();
    await this.#historian.sample(now);
    if (now - pruned >= PRUNE_MS) await this.#prune();
  }

  async #readDefinitions(): Promise<void> {
    this.#hints.definitions = false;
    this.#last.definitions = performance.now();
    const again = this.#hints.takeAgain();
    await this.#lease.use(dropStrayStates);
    this.#settings.read((this.#definitions = await this.#lease.use(readDefinitions)));
    this.#options.settingsRead?.(this.#settings.of());
    processLimit.max = this.#settings.of().max_connections;
    this.tally.keep(new Set(this.#definitions.syncs.map(({ id }) => id)));
    this.#fleet.update(planSyncs(this.#definitions));
    await this.#kicks.follow(this.#definitions.syncs);
    this.#idle = this.#fleet.size === 0 && (this.#idle || this.#hasNoSyncs());
    for (const sync of again) this.#fleet.again(sync);
  }

  #hasNoSyncs(): true {
    this.#announce("nosyncs");
    if (this.#options.exitOnNoSync === true) this.stop("no sync is active (--exit-on-nosync)");
    return true;
  }

  async #readKicks(): Promise<void> {
    this.#hints.kicks = false;
    this.#fleet.setKicks(await this.#lease.use(waitingKicks));
  }

  async #answer(): Promise<void> {
    this.#hints.requests = false;
    await answerRequests(this.#lease, {
      log: this.#options.log,
      reload: async (sync) => {
        await this.#readDefinitions();
        this.#fleet.again(sync);
      },
      reopen: this.#options.reopenLog,
      stop: (why) => this.stop(why),
      announce: (event) => this.#announce(event),
    });
  }

  async #prune(): Promise<void> {
    this.#last.prune = performance.now();
    await prune(this.#lease, this.#settings.of(), () => this.#stop !== null);
    await this.#historian.fold();
  }

  async #end(): Promise<void> {
    const { log } = this.#options;
    const timer = setTimeout(
      () => {
        log.warn("The current runs took too long; they are broken off.");
        this.#fleet.abort();
      },
      this.#lease.gone.aborted ? 0 : this.#settings.of().stop_grace,
    );
    this.#lease.limitWaiting(LAST_WORDS_MS);
    await this.#fleet.stop();
    clearTimeout(timer);
    processLimit.onContention = null;
    await this.#alerts?.stop();
    await this.#alerts?.say({ word: "stopped", why: this.#stop?.why ?? null });
    this.#ending = true;
    await this.#lease.leave((session) => announce(session, "stopped"));
    log.info("Stopped.");
  }
}
