import type { Snapshot } from "./snapshot.ts";

/** Why a run began. */
export type RunReason = "start" | "kick" | "change" | "checktime" | "retry";

export type RunOutcome = "good" | "empty" | "bad";

/** What one run did to one table. Rows, not deltas: a key changed a million times counts once. */
export type TableCounts = {
  readonly table: string;
  readonly upserted: number;
  readonly deleted: number;
  /** Whole table refilled because of TRUNCATE, a rewrite or a copy. */
  readonly refilled: boolean;
  /** Why, for people. */
  readonly why?: string;
  /** Rows that the target refused and that are to be replayed (on_error = set_aside). */
  readonly setAside?: number;
  /** Rows of the target that had to give way (on_error = overwrite). */
  readonly overwritten?: number;
  /** Rows that were changed on both sides, or stood in each other's way. */
  readonly conflicts?: number;
  /** Of the rows on their way. */
  readonly bytes?: number;
  /** Milliseconds of fetching and applying. */
  readonly ms?: number;
};

/** What one run did; also what `kick` and the history show. */
export type RunResult = {
  readonly outcome: "good" | "empty";
  readonly snapshot: Snapshot;
  readonly tables: readonly TableCounts[];
  readonly sequences: number;
  readonly bytes: number;
  /** Rows set aside for the target, of this run and earlier ones. */
  readonly setAside: number;
};

/** Sent at most a few times a second while a run works. */
export type RunProgress = {
  readonly step: "taking" | "fetching" | "applying" | "settling";
  readonly table: string | null;
  readonly rowsDone: number;
  /** About: the deltas waiting when the run began, and what the catalog says of tables that travel whole; null: not known. */
  readonly rowsExpected: number | null;
  readonly bytesDone: number;
};

/** Lag is always two numbers. `age` is an upper bound: seconds since the checkpoint was taken, 0 when nothing waits. */
export type Lag = { readonly deltas: number; readonly ageSeconds: number };

/** How far the tables are that are copied in pieces towards a target. Bytes are of the source's disk. */
export type CopyState = {
  readonly tables: number;
  readonly tablesDone: number;
  readonly rows: number;
  readonly diskBytes: number;
  readonly diskBytesDone: number;
  /** Of the streams, in the last seconds. */
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly paused: boolean;
  /** `schema.name` of those of which pieces are under way. */
  readonly active: readonly string[];
};
