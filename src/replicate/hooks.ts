import type { BucardoError } from "../model/error.ts";
import type { QualifiedName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import type { ConflictHook } from "./conflict-hook.ts";

/** Points within the transactions of a run, in its order; `after_table_sync` once for each table. */
export type RunPoint =
  | "before_check_rows"
  | "before_trigger_disable"
  | "after_trigger_disable"
  | "after_table_sync"
  | "before_trigger_enable"
  | "after_trigger_enable";

/** What is there at a point: the run's own sessions, in its transactions, and what it did so far. */
export type RunMoment = {
  readonly source: Session;
  readonly target: Session;
  readonly tables: readonly TableCounts[];
  /** Null: the point is of the whole run. */
  readonly table: QualifiedName | null;
};

/** A table whose rows the target refused; everything is as before it was tried. */
export type TableFailure = RunMoment & {
  readonly table: QualifiedName;
  readonly error: BucardoError;
  /** How often it was tried in this run. */
  readonly attempts: number;
  /** A view on the target, for this call only: the rows that were to be written, with the columns of the table. */
  readonly incoming: string;
};

/** Somebody's code at points of a run (customcode/). A run without has none, and pays nothing. */
export type RunHooks = {
  /** Whatever it throws ends the run, and nothing of it stays on the target. */
  at(point: RunPoint, moment: RunMoment): Promise<void>;
  /** Whether anybody wants to hear of failures of this table. */
  handles(table: QualifiedName): boolean;
  /** True: try the table again. */
  failed(failure: TableFailure): Promise<boolean>;
  /** Null: no code decides conflicts. */
  readonly conflict: ConflictHook | null;
};
