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
    elapsedMs: now.getTime() - migration.startedAt.getTime(),
    took: tookOf(steps, now),
    progress: migration.progress,
  };
}

/** All attempts of a phase together; an open one counts until now. */
export function tookOf(steps: readonly Step[], now: Date): Partial<Record<Phase, number>> {
  const took: Record<string, number> = {};
  for (const { phase, began, ended } of steps) took[phase] = (took[phase] ?? 0) + ((ended ?? now).getTime() - began.getTime());
  return took;
}

/** The picture of a command that works itself: kept up to date without asking the server. */
export class OwnView {
  readonly #pair: Pair;
  #phase: Phase = "schema";
  #phaseBegan = Date.now();
  #took: Partial<Record<Phase, number>> = {};
  #startedAt = Date.now();
  #progress: MigrationProgress | null = null;

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  begin(phase: Phase, migration: Migration, steps: readonly Step[]): void {
    this.#phase = phase;
    this.#phaseBegan = Date.now();
    this.#startedAt = migration.startedAt.getTime();
    this.#took = tookOf(steps, new Date());
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
      elapsedMs: Date.now() - this.#startedAt,
      took: { ...this.#took, [this.#phase]: Math.max(this.#took[this.#phase] ?? 0, spent) },
      progress: this.#progress,
    };
  }
}
