import { invariant } from "../base/invariant.ts";

const HEADER = 5;
const COPY_DATA = 0x64;

export type FrameSink = {
  /** Part of the stream of CopyData messages, headers included, cut anywhere. */
  data(bytes: Buffer): void;
  /** Any other message, whole. */
  message(type: string, bytes: Buffer): void;
};

/**
 * Walks the messages of one direction of a connection in COPY mode. Of CopyData only the five bytes of the header are looked at and
 * nothing is kept: a row of a gigabyte passes in pieces as the network delivers it.
 */
export class FrameWalker {
  /** Bytes of the current CopyData message that have not been handed on yet. */
  remaining = 0;
  /** CopyData messages begun so far: servers send one per row (binary: and a trailer). */
  frames = 0;
  /** Payload of all CopyData messages begun so far. */
  #announced = 0;
  #header: Buffer = Buffer.alloc(0);
  #message: { type: string; missing: number; parts: Buffer[] } | null = null;
  readonly #sink: FrameSink;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Payload bytes handed on. */
  get payload(): number {
    return this.#announced - this.remaining;
  }

  /** What arrived of a message that is not whole yet (never of CopyData). */
  get rest(): Buffer {
    return Buffer.concat([this.#header, ...(this.#message?.parts ?? [])]);
  }

  walk(chunk: Buffer): void {
    let from = 0; // beginning of the CopyData not handed on yet
    let at = 0;
    const flush = () => {
      if (at > from) this.#sink.data(from === 0 && at === chunk.length ? chunk : chunk.subarray(from, at));
      from = at;
    };
    while (at < chunk.length) {
      if (this.#message) {
        const part = chunk.subarray(at, at + this.#message.missing);
        from = at += part.length;
        this.#collect(part);
      } else if (this.remaining > 0) {
        const step = Math.min(this.remaining, chunk.length - at);
        at += step;
        this.remaining -= step;
      } else if (this.#header.length === 0 && chunk.length - at >= HEADER && chunk[at] === COPY_DATA) {
        this.#begin(chunk.readUInt32BE(at + 1));
        at += HEADER;
      } else {
        // Another message, or a header that is cut: rare.
        flush();
        const part = chunk.subarray(at, at + HEADER - this.#header.length);
        from = at += part.length;
        this.#readHeader(part);
      }
    }
    flush();
  }

  #begin(length: number): void {
    invariant(length >= 4, "a message is at least as long as its length word");
    this.frames++;
    this.remaining = length - 4;
    this.#announced += length - 4;
  }

  #readHeader(part: Buffer): void {
    const header = Buffer.concat([this.#header, part]);
    this.#header = header;
    if (header.length < HEADER) return;
    this.#header = Buffer.alloc(0);
    const length = header.readUInt32BE(1);
    if (header[0] === COPY_DATA) {
      this.#begin(length);
      this.#sink.data(header);
      return;
    }
    invariant(length >= 4, "a message is at least as long as its length word");
    this.#message = { type: String.fromCharCode(header[0] ?? 0), missing: length - 4, parts: [header] };
    if (length === 4) this.#collect(Buffer.alloc(0));
  }

  #collect(part: Buffer): void {
    const message = this.#message;
    if (!message) return;
    message.parts.push(part);
    message.missing -= part.length;
    if (message.missing > 0) return;
    this.#message = null;
    this.#sink.message(message.type, Buffer.concat(message.parts));
  }
}

/** Takes the headers out of a stream of CopyData messages, as `FrameSink.data` gets it. */
export class PayloadReader {
  #remaining = 0;
  #header: Buffer = Buffer.alloc(0);

  /** What is in these bytes of the rows, without copying it. */
  read(frames: Buffer): Buffer[] {
    const parts: Buffer[] = [];
    let at = 0;
    while (at < frames.length) {
      if (this.#remaining > 0) {
        const part = frames.subarray(at, at + this.#remaining);
        parts.push(part);
        this.#remaining -= part.length;
        at += part.length;
        continue;
      }
      const header = Buffer.concat([this.#header, frames.subarray(at, at + HEADER - this.#header.length)]);
      at += header.length - this.#header.length;
      this.#header = header.length < HEADER ? header : Buffer.alloc(0);
      if (header.length === HEADER) this.#remaining = header.readUInt32BE(1) - 4;
    }
    return parts;
  }
}
