import type { ErrorView } from "./page-error.ts";

/** A guided move, as its old side tells it. */
export type MigrationView = {
  readonly id: string;
  /** host:port/dbname */
  readonly from: string;
  readonly to: string;
  /** What a person has to type for a cutover (away from the old side) and a switchback. */
  readonly fromDatabase: string;
  readonly toDatabase: string;
  readonly startedAt: string;
  /** That anybody worked on it, in milliseconds. */
  readonly elapsedMs: number;
  /** Somebody works on it right now, and what (`bucardo migrate cutover`). */
  readonly working: string | null;
  /** The side that applications write to. */
  readonly openSide: "old" | "new";
  /** A cutover was decided and broke off: `migrate cutover` does the rest. */
  readonly decided: boolean;
  readonly phase: string;
  readonly phases: readonly {
    readonly name: string;
    readonly words: string;
    readonly state: "done" | "now" | "waits";
    /** So far; null: not begun. */
    readonly tookMs: number | null;
  }[];
  /** Of the phase that is being done. */
  readonly progress: {
    readonly doing: string | null;
    readonly done: number;
    readonly expected: number | null;
    readonly unit: "bytes" | "rows" | "objects" | "tables" | "deltas";
    /** Units a second. */
    readonly rate: number | null;
    readonly secondsLeft: number | null;
    /** Those being copied and the largest that wait; never all of ten thousand. */
    readonly tables: readonly {
      readonly table: string;
      readonly done: number;
      readonly expected: number | null;
      readonly state: "waits" | "copies" | "compares" | "done";
    }[];
    readonly at: string;
  } | null;
  readonly lag: { readonly deltas: number; readonly ageSeconds: number } | null;
  readonly tables: number;
  readonly sequences: number;
  /** Every step that was begun, oldest first; cutovers and rehearsals too, with their timings in `detail`. The last 50. */
  readonly steps: readonly {
    readonly phase: string;
    readonly began: string;
    readonly ended: string | null;
    readonly outcome: "done" | "failed" | null;
    readonly detail: Readonly<Record<string, unknown>> | null;
  }[];
  /** The last attempt failed with this, and nobody works on it now. */
  readonly failure: string | null;
  /** The cutover, switchback or rehearsal that this server does or last did; null: none since it started. */
  readonly turn: TurnView | null;
  /** What comes next, as one would type it: cutover | switchback | start | null while somebody works. */
  readonly next: "start" | "cutover" | "switchback" | null;
};

export type TurnView = {
  readonly direction: "cutover" | "switchback";
  readonly rehearsal: boolean;
  readonly began: string;
  /** null: it goes on. */
  readonly ended: string | null;
  readonly gates: readonly {
    readonly name: string;
    readonly state: "ok" | "warn" | "blocked";
    readonly why: string;
    readonly remedy: string | null;
  }[];
  /** Steps of the attempt: `at` and `ms` in milliseconds from its beginning. */
  readonly timings: readonly { readonly step: string; readonly at: number; readonly ms: number; readonly detail: string | null }[];
  /** Lines as the command line prints them, newest last. */
  readonly lines: readonly string[];
  readonly outcome: "switched" | "rehearsed" | "refused" | "undone" | "failed" | null;
  readonly downtimeMs: number | null;
  readonly error: ErrorView | null;
};

/** Of `migrate samples`: how far each phase was, for the plots. */
export type MigrationSamples = {
  readonly samples: readonly {
    readonly at: string;
    readonly phase: string;
    readonly done: number;
    readonly rate: number | null;
    readonly deltas: number | null;
  }[];
};
