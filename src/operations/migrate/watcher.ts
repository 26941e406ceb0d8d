import type { Phase } from "../../migrate/phase.ts";
import type { MigrationProgress } from "../../migrate/progress.ts";
import type { Migration, Step } from "../../migrate/state.ts";
import type { Pair } from "./endpoints.ts";
import type { View } from "./view.ts";

/** The picture of a move from its state; `worker` false: nobody works on it. Pure. */
export function viewOf(pair: Pair, migration: Migration, steps: readonly Step[], worker: boolean, now: Date): View {
  return {
    from: pair.old.place,
    // Where the move goes, whatever --to says now.
    to: migration.targetPlace,
    phase: migration.phase,
    idle: !worker && migration.phase !== "ready",
    ...timesOf(steps, worker ? now : migration.changedAt),
    progress: migration.progress,
  };
}

/** All attempts of a phase together, and the time that anybody worked on the move at all; a step that has not ended counts until `end`. */
export function timesOf(steps: readonly Step[], end: Date): Pick<View, "took" | "elapsedMs"> {
  const took: Record<string, number> = {};
  let elapsedMs = 0;
  for (const { phase, began, ended } of steps) {
    const ms = Math.max(0, (ended ?? end).getTime() - began.getTime());
    took[phase] = (took[phase] ?? 0) + ms;
    elapsedMs += ms;
  }
  return { took, elapsedMs };
}

/** The picture of a command that works itself: kept up to date without asking the server. `steps`: those before the phase that begins. */
export class OwnView {
  readonly #pair: Pair;
  #phase: Phase = "schema";
  #phaseBegan = Date.now();
  #took: View["took"] = {};
  #elapsedMs = 0;
  #progress: MigrationProgress | null = null;

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  begin(phase: Phase, migration: Migration, steps: readonly Step[]): void {
    this.#phase = phase;
    this.#phaseBegan = Date.now();
    const { took, elapsedMs } = timesOf(steps, migration.changedAt);
    this.#took = took;
    this.#elapsedMs = elapsedMs;
    this.#progress = null;
  }

  progress(progress: MigrationProgress): void {
    this.#progress = progress;
  }

  get now(): View {
    const spent = Date.now() - this.#phaseBegan;
    return {
      from: this.#pair.old.place,
      to: this.#pair.new.place,
      phase: this.#phase,
      idle: false,
      elapsedMs: this.#elapsedMs + spent,
      took: { ...this.#took, [this.#phase]: (this.#took[this.#phase] ?? 0) + spent },
      progress: this.#progress,
    };
  }
}
