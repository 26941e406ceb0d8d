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
    this.#zero ??= performance.now();
  }

  /** Writers may write again, on whichever side. */
  opened(): void {
    this.#opened ??= performance.now();
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
