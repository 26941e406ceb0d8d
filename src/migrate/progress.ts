import type { Phase } from "./phase.ts";

/** What a move has done and has still to do, written once a second for whoever looks. Sizes in bytes, times in milliseconds and seconds. */
export type MigrationProgress = {
  readonly phase: Phase;
  /** What is being done within the phase: a table, an index, a run; null between. */
  readonly doing: string | null;
  readonly done: number;
  /** Of `unit`; null while nobody knows. */
  readonly expected: number | null;
  readonly unit: "bytes" | "rows" | "objects" | "tables" | "deltas";
  /** Units a second over the last seconds. */
  readonly rate: number | null;
  readonly secondsLeft: number | null;
  /** Tables that are being copied or compared, and the largest that wait; never all of ten thousand. */
  readonly tables: readonly TableProgress[];
  readonly lag: { readonly deltas: number; readonly ageSeconds: number } | null;
  /** When this was written, in milliseconds since 1970, by the clock of the program's machine. */
  readonly at: number;
};

export type TableProgress = {
  readonly table: string;
  readonly done: number;
  readonly expected: number | null;
  readonly state: "waits" | "copies" | "compares" | "done";
};

type Sample = { readonly at: number; readonly done: number };

/** Long enough to be steady, short enough to follow a change. */
const WINDOW_MS = 15_000;

/** Rate and time left from what was done; feed it with every change. Pure but for what it remembers. */
export class Pace {
  #samples: Sample[] = [];

  add(at: number, done: number): void {
    const last = this.#samples.at(-1);
    // A new phase begins at zero again.
    if (last !== undefined && done < last.done) this.#samples = [];
    this.#samples = [...this.#samples.filter((sample) => at - sample.at <= WINDOW_MS), { at, done }];
  }

  /** Units a second; null until two looks lie apart. */
  get rate(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < 500) return null;
    return ((last.done - first.done) * 1000) / (last.at - first.at);
  }

  /** Seconds until `expected` is reached; null when nothing moves or nobody knows. */
  left(expected: number | null): number | null {
    const { rate } = this;
    const last = this.#samples.at(-1);
    if (rate === null || rate <= 0 || expected === null || last === undefined) return null;
    return Math.max(0, (expected - last.done) / rate);
  }
}
