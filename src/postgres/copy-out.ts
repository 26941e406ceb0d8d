import type { BucardoError } from "../model/error.ts";
import { driverOf } from "./_driver.ts";
import { cancelQuery } from "./cancel.ts";
import { PayloadReader } from "./copy-frames.ts";
import { CopySide } from "./copy-side.ts";
import { interruption, toBucardoError } from "./failure.ts";
import type { Session } from "./session.ts";
import type { Statement } from "./sql.ts";

export type CopyOutJob = {
  readonly from: Session;
  /** `copy ... to stdout ...` */
  readonly fromText: Statement;
  /** Gets what the rows are made of, cut anywhere; one piece after the other. What it throws ends the copy. */
  readonly take: (bytes: Buffer) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** Called with the payload bytes and (about) the rows so far for each piece that arrives. */
  readonly onBytes?: ((bytes: number, rows: number) => void) | undefined;
  /** schema.name, for errors. */
  readonly table?: string | undefined;
};

/** The source is not read while more than this waits to be taken. */
const HIGH_WATER = 1024 * 1024;
/** So long a server may take to end a COPY that has failed before its connection is cut. */
const GIVE_UP_MS = 30_000;

/**
 * Streams `copy to` of a session to somebody in this process. An error of either, or the signal, ends it; the first error is thrown. The session can be used
 * afterwards (an open transaction has failed and needs its rollback), unless its connection was lost.
 */
export async function copyOut(job: CopyOutJob): Promise<{ readonly rows: number; readonly bytes: number }> {
  if (job.signal?.aborted) throw interruption(job.signal.reason, { db: job.from.name });
  return driverOf(job.from).exclusive(() => new Reader(job).run());
}

class Reader {
  readonly #job: CopyOutJob;
  readonly #side: CopySide;
  readonly #payload = new PayloadReader();
  #failure: BucardoError | null = null;
  #cancel: Promise<unknown> = Promise.resolve();
  #giveUp: NodeJS.Timeout | undefined;
  #taking: Promise<void> = Promise.resolve();
  #waiting = 0;
  #end: () => void = () => undefined;

  constructor(job: CopyOutJob) {
    this.#job = job;
    const nothing = () => undefined;
    this.#side = new CopySide(job.from, job.table, {
      data: (bytes) => this.#arrived(bytes),
      begun: nothing,
      completed: nothing,
      failed: (error) => this.#fail(error),
      ended: () => this.#end(),
    });
  }

  async run(): Promise<{ rows: number; bytes: number }> {
    const { signal, from, fromText } = this.#job;
    const abort = () => this.#fail(interruption(signal?.reason, { db: from.name }));
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await new Promise<void>((resolve) => {
        this.#end = resolve;
        this.#side.start(fromText);
      });
      await this.#taking;
      // A request that is still under way must not hit the next statement of the session.
      await this.#cancel;
    } finally {
      clearTimeout(this.#giveUp);
      signal?.removeEventListener("abort", abort);
    }
    if (this.#failure !== null) throw this.#failure;
    return { rows: this.#side.rows, bytes: this.#side.walker.payload };
  }

  #arrived(frames: Buffer): void {
    if (this.#failure !== null) return;
    const bytes = Buffer.concat(this.#payload.read(frames));
    if (bytes.length > 0) this.#take(bytes);
    const { walker } = this.#side;
    try {
      this.#job.onBytes?.(walker.payload, walker.frames);
    } catch (error) {
      this.#fail(toBucardoError(error, { db: this.#job.from.name }));
    }
  }

  #take(bytes: Buffer): void {
    this.#waiting += bytes.length;
    if (this.#waiting > HIGH_WATER) this.#side.socket.pause();
    this.#taking = this.#taking
      .then(() => (this.#failure === null ? this.#job.take(bytes) : undefined))
      .catch((error: unknown) => this.#fail(toBucardoError(error)))
      .finally(() => {
        this.#waiting -= bytes.length;
        if (this.#waiting <= HIGH_WATER) this.#side.socket.resume();
      });
  }

  /** What still comes is dropped. */
  #fail(failure: BucardoError): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    if (!this.#side.active) return;
    this.#side.socket.resume();
    this.#giveUp = setTimeout(() => this.#side.cut(), GIVE_UP_MS);
    if (!this.#side.errored) this.#cancel = cancelQuery(this.#side.session).catch(() => undefined);
  }
}
