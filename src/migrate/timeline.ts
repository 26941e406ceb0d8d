import type { CutoverEvent, Timing } from "./cutover-context.ts";

/** Measures steps on the monotonic clock; those of the window are kept. */
export class Timeline {
  readonly timings: Timing[] = [];
  readonly #tell: (event: CutoverEvent) => void;
  #zero: number | null = null;
  #opened: number | null = null;

  constructor(tell: (event: CutoverEvent) => void) {
    this.#tell = tell;
  }

  /** From now on a writer may have to wait. */
  begin(): void {
    if (this.#zero !== null) return;
    this.#zero = performance.now();
    this.#tell({ kind: "waiting" });
  }

  /** Writers may write again, on whichever side. */
  opened(): void {
    if (this.#opened !== null) return;
    this.#opened = performance.now();
    if (this.#zero !== null) this.#tell({ kind: "waited", ms: this.#opened - this.#zero });
  }

  get downtimeMs(): number | null {
    return this.#zero === null || this.#opened === null ? null : this.#opened - this.#zero;
  }

  /** Milliseconds since the window began. */
  get elapsedMs(): number {
    return this.#zero === null ? 0 : performance.now() - this.#zero;
  }

  /** `detail` says in a word or two what the step found. */
  async step<T>(step: string, work: () => Promise<T>, detail: (result: T) => string | null = () => null): Promise<T> {
    const began = performance.now();
    this.#tell({ kind: "step", step });
    const result = await work();
    const ms = performance.now() - began;
    const word = detail(result);
    if (this.#zero !== null) this.timings.push({ step, at: began - this.#zero, ms, detail: word });
    this.#tell({ kind: "step-done", step, ms, detail: word });
    return result;
  }
}
