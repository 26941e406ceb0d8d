import type { KeyColumn } from "../capture/key-column.ts";
import type { SequenceShape } from "../catalog/sequence.ts";
import type { QualifiedName } from "../model/name.ts";

/**
 * A target that is no PostgreSQL server. A run gives it what changed, a table after the other, and it makes all of it durable and visible at once, or nothing.
 * It must bear the same change twice: a run that died after `commit` is not known to the source, and its keys are sent again as they are then.
 */
export interface Sink {
  /** The registered name of the database. */
  readonly name: string;
  /** What it writes is read by PostgreSQL: it takes conditions in that SQL (`deleteWhere`). */
  readonly postgres: boolean;
  /**
   * Begins the output of one run, before the run looks at the source. What an earlier run has left unfinished is gone from here on, and whoever may still
   * be at it cannot finish it. Errors: file-target.
   */
  begin(run: SinkRunOptions): Promise<SinkRun>;
}

export type SinkRunOptions = {
  readonly sync: { readonly id: string; readonly name: string };
  /** Registered name. */
  readonly source: string;
};

/** The output of one run. Disposed before `commit` it leaves nothing. */
export interface SinkRun extends AsyncDisposable {
  /** How far the sink has come with this sync; null: nothing was ever committed there. */
  readonly place: SinkPlace | null;
  deleteAll(table: SinkTable): Promise<void>;
  /** Conditions over the columns of the source's table; only where the sink is `postgres`. */
  deleteWhere(table: SinkTable, conditions: readonly string[]): Promise<void>;
  /** Takes keys, sorted: their rows go, whether they are there or not. All rows of a table go before the first comes. */
  deleteKeys(table: SinkTable): RowTaker;
  /** Takes rows, `columns` of the table. */
  insertRows(table: SinkTable): RowTaker;
  setSequence(sequence: SinkSequence): Promise<void>;
  /** All of it is durable, and nobody sees it. */
  prepare(): Promise<void>;
  /** Everybody sees it. `positions`: of sequences, to be remembered. */
  commit(positions: Positions): Promise<SinkPlace>;
}

/** Takes rows in the text format of COPY, in pieces cut anywhere. */
export type RowTaker = { take(bytes: Buffer): Promise<void>; end(): Promise<void> };

/** Where a sync's output is and how far it has come: it belongs to the checkpoint, so that another place, or a time before, is noticed. */
export type SinkPlace = {
  /** Made with the first output there. */
  readonly id: string;
  /** Of the last committed output; each is one more than the one before. */
  readonly number: number;
  readonly positions: Positions;
};

/** By `schema.name` on the target what was written of a sequence last. */
export type Positions = Readonly<Record<string, string>>;

/** As the target calls it. */
export type SinkTable = QualifiedName & {
  readonly key: readonly SinkKey[];
  /** Those whose values are written: all but what the target computes by itself. */
  readonly columns: readonly SinkColumn[];
  /** It has children by inheritance, whose rows are not its own. */
  readonly parent: boolean;
};

export type SinkColumn = {
  readonly name: string;
  /** As format_type prints it, domains resolved: `numeric(10,2)`. */
  readonly type: string;
  /** GENERATED ALWAYS AS IDENTITY. */
  readonly alwaysIdentity: boolean;
};

export type SinkKey = Pick<SinkColumn, "name" | "type"> & { readonly own: Pick<KeyColumn, "type" | "equals" | "cast"> };

/** As the target calls it. */
export type SinkSequence = QualifiedName & {
  readonly value: string;
  /** The next number is another one than `value`. */
  readonly called: boolean;
  readonly shape: Pick<SequenceShape, "increment" | "min" | "max">;
};
