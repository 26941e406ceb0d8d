import { hostname } from "node:os";
import { sleep } from "../base/sleep.ts";
import type { Settings } from "../config/setting.ts";
import { closeAlerts, markTold, mayTellStart, noteProblems, openAlerts, type Alert } from "../control/alert.ts";
import { readConflictFacts, readSourceFacts, readTargetFacts } from "../control/alert-facts.ts";
import type { Session } from "../postgres/session.ts";
import type { Log } from "../telemetry/log.ts";
import type { Channel } from "./channels.ts";
import { decide } from "./decide.ts";
import type { Notice } from "./notice.ts";
import { problemsOf } from "./problems.ts";

export type AlertContext = {
  readonly use: <T>(work: (session: Session) => Promise<T>) => Promise<T>;
  readonly log: Log;
  readonly version: string;
  /** As they are now. */
  readonly settings: () => Settings;
  readonly ofSync: (syncId: string) => Settings;
  readonly channels: () => readonly Channel[];
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

/** How long the last word of an ending daemon may take. */
const LAST_WORD_MS = 5000;
const SHORTEST_MS = 100;

/**
 * Looks at what the control database knows, notes what is wrong, and tells the channels: one message per problem until it is over, all that is new in one,
 * and no two messages of a channel within the setting alert_pause. What could not be told stands in the control database and is told later.
 */
export class AlertWatch {
  readonly #context: AlertContext;
  readonly #stop = new AbortController();
  /** When each channel was last told something, or failed to take it. */
  readonly #spoke = new Map<string, number>();
  readonly done: Promise<void>;

  constructor(context: AlertContext) {
    this.#context = context;
    this.done = this.#loop();
  }

  /** Tells that the daemon started or stopped, if people want to hear that; never rejects. */
  async say(event: NonNullable<Notice["event"]>): Promise<void> {
    const { settings, use } = this.#context;
    const { alert_daemon: wanted, alert_pause: pause } = settings();
    if (!wanted || this.#context.channels().length === 0) return;
    // A daemon that crashes and is started again and again tells so once in a while.
    if (event.word === "started" && !(await use((session) => mayTellStart(session, pause)).catch(() => true))) return;
    const sent = this.#context
      .channels()
      .map((channel) => this.#send(channel, { event, raised: [], over: [] }, AbortSignal.timeout(LAST_WORD_MS)));
    const late = new AbortController();
    await Promise.race([Promise.all(sent), sleep(LAST_WORD_MS, late.signal).catch(() => undefined)]);
    late.abort();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.done;
  }

  async #loop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(Math.max(SHORTEST_MS, this.#context.settings().alert_interval), this.#stop.signal).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      try {
        await this.#round();
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#context.log.debug({ err: error }, "Looking for problems is put off.");
      }
    }
  }

  async #round(): Promise<void> {
    const { use, settings, ofSync, channels } = this.#context;
    const general = settings();
    const facts = { targets: await use(readTargetFacts), sources: await use(readSourceFacts), conflicts: await use(readConflictFacts) };
    await use((session) => noteProblems(session, problemsOf(facts, ofSync, general)));
    const ready = channels().filter(({ name }) => this.#context.now() - (this.#spoke.get(name) ?? -Infinity) >= general.alert_pause);
    const alerts = await use(openAlerts);
    const ids = new Map(facts.targets.map(({ sync, syncId }) => [sync, syncId]));
    const after = ({ sync, grade, kind }: Alert): number =>
      grade === "critical" && kind === "failed" ? 0 : ofSync(ids.get(sync ?? "") ?? "").alert_after;
    const all = channels().map(({ name }) => name);
    const { tell, close } = decide(alerts, all, { after, settle: general.alert_settle });
    for (const channel of ready) {
      const news = tell.find((one) => one.channel === channel.name);
      if (news !== undefined) await this.#tell(channel, news);
    }
    if (close.length > 0) await use((session) => closeAlerts(session, close));
  }

  async #tell(channel: Channel, { raised, over }: Pick<Notice, "raised" | "over">): Promise<void> {
    if (!(await this.#send(channel, { event: null, raised, over }, this.#stop.signal))) return;
    const told = (alerts: readonly Alert[], word: "raised" | "over") =>
      this.#context.use((session) =>
        markTold(
          session,
          alerts.map(({ id }) => id),
          channel.name,
          word,
        ),
      );
    if (raised.length > 0) await told(raised, "raised");
    if (over.length > 0) await told(over, "over");
  }

  async #send(channel: Channel, news: Pick<Notice, "event" | "raised" | "over">, signal: AbortSignal): Promise<boolean> {
    const { version, log, settings, now } = this.#context;
    const { stats_script_url: url } = settings();
    try {
      await channel.send({ host: hostname(), pid: process.pid, version, at: new Date(), url: url === "" ? null : url, ...news }, signal);
      return true;
    } catch (error) {
      if (!this.#stop.signal.aborted) log.warn({ err: error }, `An alert could not be sent by ${channel.name}; it is tried again.`);
      return false;
    } finally {
      if (news.event === null) this.#spoke.set(channel.name, now());
    }
  }
}
