import type { Socket } from "node:net";
import { invariant } from "../base/invariant.ts";
import type { BucardoError } from "../model/error.ts";
import { driverOf } from "./_driver.ts";
import { cancelQuery } from "./cancel.ts";
import { CopySide } from "./copy-side.ts";
import { interruption, toBucardoError } from "./failure.ts";
import type { Session } from "./session.ts";
import type { Statement } from "./sql.ts";

export type CopyJob = {
  readonly from: Session;
  /** `copy ... to stdout ...` */
  readonly fromText: Statement;
  readonly to: Session;
  /** `copy ... from stdin ...`, of the same format. */
  readonly toText: Statement;
  readonly signal?: AbortSignal | undefined;
  /** Called with the payload bytes and (about) the rows so far for each piece that arrives (about every 64 KB). */
  readonly onBytes?: ((bytes: number, rows: number) => void) | undefined;
  /** Asked with the size of each piece that arrives: for so many milliseconds nothing more is read from the source. */
  readonly pace?: ((bytes: number) => number) | undefined;
  /** So long a server may take to end a COPY that has failed before its connection is cut; 30 s. */
  readonly giveUpMs?: number | undefined;
  /** schema.name, for errors. */
  readonly table?: string | undefined;
};

/** `rows` as the target counts them, `sent` as the source does: they differ when a trigger of the target swallows rows. */
export type CopyResult = { readonly rows: number; readonly sent: number; readonly bytes: number };

/** Kept: the target was not asked, as the source gave no more than `keep` bytes; what it gave is for `copyIn` of a statement in a batch there. */
export type Gathered = CopyResult & { readonly kept: readonly Buffer[] | null };

/** The source is not read while more than this waits for the target. */
const HIGH_WATER = 1024 * 1024;
const GIVE_UP_MS = 30_000;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
const COPY_FAIL = Buffer.from([0x66, 0, 0, 0, 5, 0]);

/**
 * Streams `copy to` of one session into `copy from` of another, message for message, without looking at rows.
 * An error of either side, or the signal, ends both; the first error is thrown. Both sessions can be used afterwards (open
 * transactions have failed and need their rollback), except those whose connection was lost.
 */
export async function copyBetween(job: CopyJob): Promise<CopyResult> {
  const { rows, sent, bytes } = await copyOrKeep(job, 0);
  return { rows, sent, bytes };
}

/** The same, but what the source gives stays here while it is no more than `keep` bytes: a few rows can then travel with the statements that need them. */
export async function copyOrKeep(job: CopyJob, keep: number): Promise<Gathered> {
  invariant(job.from !== job.to, "a copy needs two sessions");
  if (job.signal?.aborted) throw interruption(job.signal.reason, { db: job.from.name });
  return driverOf(job.to).exclusive(() => driverOf(job.from).exclusive(() => new Pipe(job, keep).run()));
}

class Pipe {
  readonly #job: CopyJob;
  readonly #source: CopySide;
  readonly #target: CopySide;
  readonly #cancels: Promise<unknown>[] = [];
  #failure: BucardoError | null = null;
  /** Bytes still owed to the target when the copy failed in the middle of a CopyData message: without them it would wait for ever. */
  #owed = 0;
  #padding = false;
  /** Why the source is not read at the moment. */
  readonly #waits = { drain: false, pace: null as NodeJS.Timeout | null };
  #progress = { source: 0, target: 0 };
  #finish: () => void = () => undefined;
  /** All that the source has to give has arrived. */
  #complete = false;
  readonly #keep: number;
  /** Null: the target takes what comes. */
  #kept: Buffer[] | null;

  constructor(job: CopyJob, keep: number) {
    this.#job = job;
    this.#keep = keep;
    this.#kept = keep > 0 ? [] : null;
    const nothing = () => undefined;
    this.#source = new CopySide(job.from, job.table, {
      data: (bytes) => this.#forward(bytes),
      begun: nothing,
      completed: () => this.#sent(),
      failed: (error) => this.#fail(error),
      ended: () => this.#sourceEnded(),
    });
    this.#target = new CopySide(job.to, job.table, {
      data: nothing,
      // The source starts only now, so nothing has to be kept for a target that still waits for a lock.
      begun: () => (this.#failure ? this.#failTarget() : this.#targetBegun()),
      completed: nothing,
      failed: (error) => this.#fail(error),
      ended: () => this.#targetEnded(),
    });
  }

  async run(): Promise<Gathered> {
    const { signal, from, fromText, toText } = this.#job;
    const abort = () => this.#fail(interruption(signal?.reason, { db: from.name }));
    signal?.addEventListener("abort", abort, { once: true });
    let giveUp: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve) => {
        this.#finish = () => {
          if (!this.#source.active && !this.#target.active && !this.#padding) resolve();
          else if (this.#failure) giveUp ??= setInterval(() => this.#cutStalled(), this.#job.giveUpMs ?? GIVE_UP_MS);
        };
        if (signal?.aborted) abort();
        else if (this.#kept) this.#source.start(fromText);
        else this.#target.start(toText);
      });
      // A request that is still under way must not hit the next statement of the session. One that failed did no harm: see GIVE_UP_MS.
      await Promise.allSettled(this.#cancels);
    } finally {
      clearInterval(giveUp);
      if (this.#waits.pace !== null) {
        clearTimeout(this.#waits.pace);
        this.#source.socket.resume();
      }
      signal?.removeEventListener("abort", abort);
    }
    if (this.#failure) throw this.#failure;
    const kept = this.#kept;
    invariant(this.#source.copied && (kept !== null || this.#target.copied), "copyBetween takes `copy to stdout` and `copy from stdin`");
    const { rows: sent } = this.#source;
    return { rows: kept === null ? this.#target.rows : sent, sent, bytes: this.#source.walker.payload, kept };
  }

  #targetBegun(): void {
    if (this.#source.state === "idle") return this.#source.start(this.#job.fromText);
    // The source waits with what is more than we keep.
    for (const bytes of this.#kept ?? []) this.#send(bytes);
    this.#kept = null;
    this.#source.socket.resume();
    if (this.#complete) this.#sent();
  }

  #sent(): void {
    this.#complete = true;
    if (this.#kept === null) this.#target.write(COPY_DONE);
  }

  #forward(bytes: Buffer): void {
    if (this.#kept && !this.#failure) return this.#hold(this.#kept, bytes);
    if (this.#failure) {
      const part = bytes.subarray(0, this.#owed);
      if (part.length === 0) return;
      this.#owed -= part.length;
      this.#send(part);
      if (this.#owed === 0) this.#failTarget();
      return;
    }
    this.#send(bytes);
    this.#slowDown(bytes.length);
    try {
      this.#job.onBytes?.(this.#source.walker.payload, this.#source.walker.frames);
    } catch (error) {
      this.#fail(toBucardoError(error, { db: this.#job.from.name }));
    }
  }

  /** Whatever of it is already on its way to us is kept as well. */
  #hold(kept: Buffer[], bytes: Buffer): void {
    kept.push(bytes);
    if (this.#source.walker.payload <= this.#keep || this.#target.state !== "idle") return;
    this.#source.socket.pause();
    this.#target.start(this.#job.toText);
  }

  #send(bytes: Buffer): void {
    const { socket } = this.#target;
    this.#target.write(bytes);
    if (socket.writableLength <= HIGH_WATER || this.#waits.drain) return;
    this.#waits.drain = true;
    this.#source.socket.pause();
    socket.once("drain", () => {
      this.#waits.drain = false;
      if (this.#waits.pace === null) this.#source.socket.resume();
    });
  }

  #slowDown(bytes: number): void {
    const ms = this.#job.pace?.(bytes) ?? 0;
    if (ms <= 0 || this.#waits.pace !== null) return;
    this.#source.socket.pause();
    this.#waits.pace = setTimeout(() => {
      this.#waits.pace = null;
      if (!this.#waits.drain) this.#source.socket.resume();
    }, ms);
  }

  /** The first error ends both sides: CancelRequest to whoever still works, CopyFail to the target at the end of a message. */
  #fail(failure: BucardoError): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#progress = this.#moved();
    this.#owed = this.#target.state === "copying" ? this.#source.walker.remaining : 0;
    for (const side of [this.#source, this.#target]) {
      if (side.active && !side.errored) this.#cancels.push(cancelQuery(side.session).catch(() => undefined));
    }
    if (this.#owed === 0) this.#failTarget();
    this.#finish();
  }

  #moved(): { source: number; target: number } {
    const { socket } = this.#target;
    return { source: this.#source.walker.payload, target: socket.bytesWritten - socket.writableLength };
  }

  #failTarget(): void {
    this.#source.socket.resume();
    if (this.#target.state === "copying" && !this.#target.errored) this.#target.write(COPY_FAIL);
  }

  #sourceEnded(): void {
    if (this.#owed > 0) void this.#pad();
    this.#finish();
  }

  /** A target that is gone drains nothing any more. */
  #targetEnded(): void {
    if (this.#source.state !== "idle") this.#source.socket.resume();
    if (this.#target.socket.destroyed) this.#owed = 0;
    this.#finish();
  }

  /** The source died within a message: the target gets zeros for the rest of it, then CopyFail. */
  async #pad(): Promise<void> {
    const zeros = Buffer.alloc(64 * 1024);
    const { socket } = this.#target;
    this.#padding = true;
    while (this.#owed > 0 && socket.writable) {
      const part = zeros.subarray(0, this.#owed);
      this.#owed -= part.length;
      const flowing = socket.write(part);
      if (!flowing) await drained(socket);
    }
    this.#padding = false;
    this.#failTarget();
    this.#finish();
  }

  /**
   * After a failure both servers should end soon. Who does not, and moves no bytes either, is cut off, and only he: the other may just be
   * waiting for him.
   */
  #cutStalled(): void {
    const moved = this.#progress;
    this.#progress = this.#moved();
    const targetWaits = this.#owed > 0 ? this.#target.socket.writableLength > 0 : this.#target.active;
    const targetStalls = targetWaits && this.#progress.target === moved.target;
    const sourceStalls = this.#source.active && !(targetWaits && this.#owed > 0) && this.#progress.source === moved.source;
    if (targetStalls) this.#target.cut();
    if (sourceStalls) this.#source.cut();
  }
}

/** Also when the socket is closed: then nothing drains any more. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.removeListener("drain", done).removeListener("close", done);
      resolve();
    };
    socket.once("drain", done).once("close", done);
  });
}
