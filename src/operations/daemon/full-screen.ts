import type { Io } from "../io.ts";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

/** The terminal's second screen: what stood there before comes back when this ends, also at the signal itself. */
export class FullScreen implements Disposable {
  readonly #io: Io;
  readonly #signal: AbortSignal;
  readonly #leave = (): void => this[Symbol.dispose]();
  #left = false;

  constructor(io: Io, signal: AbortSignal) {
    this.#io = io;
    this.#signal = signal;
    io.write(ENTER);
    signal.addEventListener("abort", this.#leave, { once: true });
    process.once("exit", this.#leave);
  }

  /** Line by line in place, so that nothing flickers; what was there beyond them goes. */
  draw(lines: readonly string[]): void {
    if (this.#left) return;
    this.#io.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`);
  }

  [Symbol.dispose](): void {
    if (this.#left) return;
    this.#left = true;
    this.#signal.removeEventListener("abort", this.#leave);
    process.removeListener("exit", this.#leave);
    this.#io.write(LEAVE);
  }
}
