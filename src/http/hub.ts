import type { ServerResponse } from "node:http";
import type { Served } from "../operations/serving.ts";
import { ControlWatch } from "./control-watch.ts";
import { differenceOf } from "./difference.ts";
import { errorView, HttpFailure } from "./failure.ts";
import { everywhere } from "./headers.ts";
import { limits } from "./limits.ts";
import { MoveWatch } from "./move-watch.ts";
import type { ServerEvent, Snapshot } from "./page-types.ts";
import { TurnBoard } from "./turn-board.ts";

/** How often the databases are read while somebody listens. */
const LOOK_MS = 1000;
const BEAT_MS = 15_000;
/** So long after the last look the connections are closed. */
const REST_MS = 20_000;
/** A listener that has not taken so many bytes is dropped; it comes again and gets a new snapshot. */
const BEHIND_BYTES = 2 * 1024 * 1024;

/**
 * One look at the databases for everybody: the event stream of all pages, metrics, readiness. Nothing is read while nobody looks. What is sent is made once
 * and shared by all listeners.
 */
export class Hub implements AsyncDisposable {
  readonly board = new TurnBoard(() => this.#nudge());
  readonly #served: Served;
  readonly #control: ControlWatch;
  readonly #move: MoveWatch;
  readonly #listeners = new Set<ServerResponse>();
  #last: { readonly snapshot: Snapshot; readonly at: number } | null = null;
  #reading: Promise<Snapshot> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #beat: NodeJS.Timeout | null = null;
  #rest: NodeJS.Timeout | null = null;
  #id = 0;
  #ended = false;

  constructor(served: Served) {
    this.#served = served;
    this.#control = new ControlWatch(served);
    this.#move = new MoveWatch(served, this.board);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  get hasMigration(): boolean {
    return this.#move.pair !== null;
  }

  /** The latest look, at most `maxAgeMs` old. Never rejects: what could not be read stands in `trouble`. */
  async look(maxAgeMs: number): Promise<Snapshot> {
    const last = this.#last;
    if (last !== null && performance.now() - last.at <= maxAgeMs) return last.snapshot;
    return await (this.#reading ??= this.#read().finally(() => (this.#reading = null)));
  }

  /** Sends the event stream until the listener goes or is dropped. Errors: http-busy. */
  async listen(response: ServerResponse): Promise<void> {
    const full = (): HttpFailure =>
      new HttpFailure(503, "http-busy", "Too many pages listen already.", { headers: { "retry-after": "10" } });
    if (this.#ended || this.#listeners.size >= limits.listeners) throw full();
    const snapshot = await this.look(2 * LOOK_MS);
    if (response.destroyed) return;
    if (this.#listeners.size >= limits.listeners) throw full();
    response.writeHead(200, { ...everywhere, "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" });
    this.#listeners.add(response);
    response.on("close", () => this.#gone(response));
    // What was looked at since then comes as changes of this very snapshot.
    this.#send([response], "retry: 2000\n", { event: "snapshot", data: this.#last?.snapshot ?? snapshot });
    this.#turn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    for (const timer of [this.#timer, this.#beat, this.#rest]) if (timer !== null) clearTimeout(timer);
    this.#send(this.#listeners, "", { event: "bye", data: { at: new Date().toISOString() } });
    for (const listener of this.#listeners) listener.end();
    await this.#reading?.catch(() => undefined);
    await this.#control[Symbol.asyncDispose]();
    await this.#move[Symbol.asyncDispose]();
  }

  /** The next look, while somebody listens; one at a time, however slow it is. */
  #turn(): void {
    if (this.#timer !== null || this.#ended || this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => void this.#lookAgain(), LOOK_MS);
    this.#rewind();
  }

  async #lookAgain(): Promise<void> {
    await this.look(LOOK_MS / 2);
    this.#timer = null;
    this.#turn();
  }

  /** Something happened in this process that need not be waited for. */
  #nudge(): void {
    const last = this.#last;
    if (last === null || last.snapshot.migration === null) return;
    this.#publish({ ...last.snapshot, at: new Date().toISOString(), migration: { ...last.snapshot.migration, turn: this.board.turn } });
  }

  async #read(): Promise<Snapshot> {
    const [control, migration] = await Promise.all([
      this.#served.control ? attempt(() => this.#control.read()) : null,
      attempt(() => this.#move.read()),
    ]);
    const before = this.#last?.snapshot;
    const seen = control?.value ?? null;
    const moved = migration.error === null ? migration.value : (before?.migration ?? null);
    const snapshot: Snapshot = {
      at: new Date().toISOString(),
      site: this.site,
      // What cannot be read now is shown as it was last.
      daemon: seen?.daemon ?? this.#unread(before),
      databases: seen?.databases ?? before?.databases ?? [],
      groups: seen?.groups ?? before?.groups ?? [],
      syncs: seen?.syncs ?? before?.syncs ?? [],
      targets: seen?.targets ?? before?.targets ?? [],
      migration: moved === null ? null : { ...moved, turn: this.board.turn },
      trouble: { control: control?.error ?? null, migration: migration.error },
    };
    this.#publish(snapshot);
    this.#restLater();
    return snapshot;
  }

  get site(): Snapshot["site"] {
    const { version, daemon, control } = this.#served;
    return { version, by: daemon === null ? "alone" : "daemon", hasControl: control, hasMigration: this.hasMigration };
  }

  /** The daemon that serves this lives, whatever the control database says. */
  #unread(before: Snapshot | undefined): Snapshot["daemon"] {
    const { daemon, control, version } = this.#served;
    if (before?.daemon) return before.daemon;
    if (!control || daemon === null) return null;
    return {
      state: daemon.up() ? "up" : "starting",
      pid: process.pid,
      host: null,
      version,
      reason: null,
      started: null,
      ready: null,
      stopped: null,
    };
  }

  #publish(snapshot: Snapshot): void {
    const before = this.#last?.snapshot;
    this.#last = { snapshot, at: performance.now() };
    const change = before === undefined ? null : differenceOf(before, snapshot);
    if (change !== null) this.#send(this.#listeners, "", { event: "change", data: change });
  }

  #send(to: Iterable<ServerResponse>, head: string, { event, data }: ServerEvent): void {
    const listeners = [...to];
    if (listeners.length === 0) return;
    // One buffer for all: a hundred pages that do not read hold one copy of it.
    const bytes = Buffer.from(`${head}id: ${++this.#id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    for (const listener of listeners) {
      // Not what is sent now, which may be a large snapshot: what it had not taken before.
      if (listener.writableLength > BEHIND_BYTES) listener.destroy();
      else listener.write(bytes);
    }
    this.#rewind();
  }

  #rewind(): void {
    if (this.#beat !== null) clearTimeout(this.#beat);
    this.#beat = this.#listeners.size === 0 || this.#ended ? null : setTimeout(() => this.#send(this.#listeners, "", beat()), BEAT_MS);
  }

  #gone(listener: ServerResponse): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#beat !== null) clearTimeout(this.#beat);
    this.#timer = null;
    this.#beat = null;
  }

  #restLater(): void {
    if (this.#rest !== null) clearTimeout(this.#rest);
    if (this.#ended) return;
    this.#rest = setTimeout(() => {
      void this.#control.rest();
      void this.#move.rest();
    }, REST_MS);
    this.#rest.unref();
  }
}

function beat(): ServerEvent {
  return { event: "beat", data: { at: new Date().toISOString() } };
}

async function attempt<T>(work: () => Promise<T>): Promise<{ readonly value: T | null; readonly error: Snapshot["trouble"]["control"] }> {
  try {
    return { value: await work(), error: null };
  } catch (error) {
    return { value: null, error: errorView(error) };
  }
}
