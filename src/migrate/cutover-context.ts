import type { BucardoError } from "../model/error.ts";
import type { QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import type { Gate } from "./gate.ts";
import type { PoolerRequest } from "./pooler.ts";

/** One of the two databases of a cutover. */
export type Side = {
  /** As the definition calls it. */
  readonly name: string;
  /** host:port/database for people, without secrets. */
  readonly place: string;
  /** A connection of its own for each purpose, which shows in pg_stat_activity. */
  open(purpose: string): Promise<Session>;
};

export type CutoverContext = {
  /** Where applications write now, and where they shall write. */
  readonly from: Side;
  readonly to: Side;
  /** What runs carry, from -> to. Its capture stands on `from`, and runs have brought `to` near. */
  readonly definition: RunDefinition;
  /** The installation that capture belongs to. */
  readonly installation: string;
  /** Tables without key: copied whole while nobody writes, but for those that `from` follows by row images. */
  readonly uncaptured: readonly QualifiedName[];
  /** Relations that stay behind on purpose: no gate asks for them. */
  readonly leftOut: readonly QualifiedName[];
  /** Large objects were carried before. */
  readonly largeObjectsCarried: boolean;
  /** The mark from before that: those made since are carried in the window. Absent: none are. */
  readonly largeObjectsSince?: number;
  /** From the first writer that has to wait to the point of no return, in milliseconds. Over it everything is undone. */
  readonly budgetMs: number;
  /** Everything up to the point of no return, then undone. */
  readonly rehearse: boolean;
  /** Compare before the window what is not compared yet, and in it the rows touched since. */
  readonly verify: boolean;
  /** Afterwards `from` is to follow `to`: capture is installed on `to` before the first write there. */
  readonly wayBack: boolean;
  readonly poolers: readonly PoolerRequest[];
  /** Command line run by the shell once `to` is open, with BUCARDO_FROM, BUCARDO_TO and BUCARDO_STEP; null: none. */
  readonly onSwitch: string | null;
  readonly onSwitchTimeoutMs: number;
  /** Values that each sequence is advanced beyond its last one: nextval cannot be fenced. */
  readonly sequenceGap: number;
  /** Names of gates whose refusal is to be a warning. */
  readonly override: readonly string[];
  readonly signal: AbortSignal;
  /** Told as it happens; never awaited. */
  readonly onEvent: (event: CutoverEvent) => void;
};

export type CutoverEvent =
  | { readonly kind: "step"; readonly step: string }
  | { readonly kind: "step-done"; readonly step: string; readonly ms: number; readonly detail: string | null }
  | { readonly kind: "gate"; readonly gate: Gate }
  /** From here on writers may have to wait. */
  | { readonly kind: "waiting" }
  /** They go on, on whichever side; so long they waited at most. */
  | { readonly kind: "waited"; readonly ms: number }
  | { readonly kind: "compared"; readonly table: string }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "output"; readonly from: string; readonly text: string };

/** One step of the window: begin and length in milliseconds, from the moment when the first writer had to wait. */
export type Timing = { readonly step: string; readonly at: number; readonly ms: number; readonly detail: string | null };

export type CutoverReport = {
  /**
   * switched: applications write to `to`; rehearsed: all went well and was undone; refused: a gate was closed, nothing was begun;
   * undone: it failed on the way, and writers are where they were.
   */
  readonly outcome: "switched" | "rehearsed" | "refused" | "undone";
  readonly gates: readonly Gate[];
  /** Of the window only. */
  readonly timings: readonly Timing[];
  /** From the first refused or waiting writer until a side was open again; null when none had to wait. */
  readonly downtimeMs: number | null;
  /** Why it was refused or undone. */
  readonly why: BucardoError | null;
  /** What went wrong after the point of no return, or besides. */
  readonly warnings: readonly string[];
};
