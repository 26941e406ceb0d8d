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
};

/** What one run did; also what `kick` and the history show. */
export type RunResult = {
  readonly outcome: "good" | "empty";
  readonly snapshot: Snapshot;
  readonly tables: readonly TableCounts[];
  readonly sequences: number;
  readonly bytes: number;
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
