import { anySignal } from "../base/abort.ts";
import type { BucardoError } from "../model/error.ts";
import type { OnError } from "../model/sync.ts";
import { isDataFault } from "./data-fault.ts";
import type { RunDefinition } from "./definition.ts";

/** Of the run that looks for the row at fault only to name it. */
const LOCATE_MS = 60_000;

/** A row that a target refused. Its key as text, in the order of the captured key. */
export type RefusedRow = {
  readonly captured: number;
  readonly key: readonly string[];
  readonly sqlstate: string;
  readonly message: string;
};

/** A row of the target that had to give way; image null: too large to be kept. */
export type OverwrittenRow = RefusedRow & { readonly image: string | null };

/** A run that knows that rows of some tables will be refused: it stages and applies these so that it can tell which, and does what the policy says. */
export type Careful = {
  readonly sync: string;
  readonly policy: OnError;
  /** As displayed. */
  readonly tables: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly refused: RefusedRow[];
  readonly overwritten: OverwrittenRow[];
};

/**
 * Runs `once`; when the target refuses a row of a table, again with care for this table, and so on for each table. A careful run takes a snapshot of its own, so
 * it may also find that nothing is wrong any more. Where nothing is to be done about the row but to name it, it has a minute for that.
 */
export async function withCare<T>(
  { sync, onError: policy = "stop" }: RunDefinition,
  signal: AbortSignal,
  once: (careful: Careful | null) => Promise<T>,
): Promise<T> {
  const tables = new Set<string>();
  let fault: BucardoError | null = null;
  for (;;) {
    const patience = fault !== null && policy === "stop" ? AbortSignal.timeout(LOCATE_MS) : null;
    using both = anySignal(signal, ...(patience === null ? [] : [patience]));
    try {
      return await once(
        fault === null ? null : { sync: sync.name, policy, tables: new Set(tables), signal: both, refused: [], overwritten: [] },
      );
    } catch (error) {
      if (fault !== null && patience?.aborted && !signal.aborted) throw fault;
      if (!isDataFault(error) || tables.has(error.details.table)) throw error;
      tables.add(error.details.table);
      fault = error;
    }
  }
}

/** Whether rows of the table may be refused. */
export function needsCare(careful: Careful | null, table: string): careful is Careful {
  return careful !== null && careful.tables.has(table);
}
