import { bar, dim, integer, line, seconds } from "./screen.ts";
import type { Shell } from "./shell.ts";

/** How far the target was behind at one moment, as `bucardo_ctl delta` says. */
export type Lag = { readonly what: string; readonly atMs: number; readonly deltas: number; readonly ageSeconds: number };

/** Reads and prints the lag now and then; the longest bar is the first, before anything was caught up. */
export class LagChart {
  readonly #lags: Lag[] = [];
  readonly #shell: Shell;
  readonly #began = performance.now();
  #printing = false;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** Begins to print, with what was read before. */
  print(): void {
    this.#printing = true;
    line(dim(`${"time".padStart(7)} ${"waiting".padStart(9)} ${"oldest".padStart(8)}`));
    for (const lag of this.#lags) this.#line(lag);
  }

  async read(what: string): Promise<void> {
    const { stdout } = await this.#shell.quietly("bucardo_ctl delta --json");
    const { total, databases } = JSON.parse(stdout) as { total: number; databases: { ageSeconds: number }[] };
    const ageSeconds = total === 0 ? 0 : Math.max(...databases.map((database) => database.ageSeconds));
    const lag = { what, atMs: performance.now() - this.#began, deltas: total, ageSeconds };
    this.#lags.push(lag);
    if (this.#printing) this.#line(lag);
  }

  get largest(): number {
    return Math.max(...this.#lags.map(({ deltas }) => deltas));
  }

  #line({ what, atMs, deltas, ageSeconds }: Lag): void {
    const columns = [seconds(atMs).padStart(7), integer(deltas).padStart(9), seconds(ageSeconds * 1000).padStart(8)];
    line(`${columns.join(" ")}  ${bar(deltas, this.largest).padEnd(32)}  ${dim(what)}`);
  }
}
