import { copyBetween } from "../postgres/copy.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { rollbackQuietly, transaction } from "../postgres/transaction.ts";
import { displayName } from "../model/name.ts";
import type { TableShape } from "../catalog/table.ts";
import type { Inventory } from "../schema/inventory.ts";
import type { Selection } from "./selection.ts";
import type { MigrationOptions } from "./state.ts";

/** Seconds, from a short sample of the largest table between these two servers, now. */
export type Estimate = {
  readonly sample: { readonly table: string; readonly rows: number; readonly bytes: number; readonly seconds: number };
  readonly copySeconds: number;
  /** A guess: indexes are built from what was copied, at about half its speed. */
  readonly indexSeconds: number;
  readonly compareSeconds: number;
  /** Of the downtime: tables without key that are copied in it, one after the other. */
  readonly windowSeconds: number;
};

/** So many rows of the sample at most: some seconds even over a slow line. */
const SAMPLE_ROWS = 50_000;
/** Text hashed by one backend, bytes a second, as measured. */
const COMPARE_BYTES_PER_SECOND = 150e6;

export type EstimateJob = {
  readonly old: Session;
  readonly young: Session;
  readonly inventory: Inventory;
  readonly selection: Selection;
  readonly options: MigrationOptions;
  readonly signal: AbortSignal;
};

/** What we may not is told by the plan, which should not end with it. */
function mayRead(shape: TableShape | undefined): boolean {
  return shape !== undefined && shape.privileges.schemaUsage && shape.privileges.select && !shape.rowSecurity;
}

/** Null: there is nothing to measure with. Sends the first rows of the largest table into a temporary table that goes at once. */
export async function estimate({ old, young, inventory, selection, options, signal }: EstimateJob): Promise<Estimate | null> {
  const largest = selection.tables.find((table) => table.bytes > 0 && mayRead(inventory.shapes.get(displayName(table))));
  const shape = largest === undefined ? undefined : inventory.shapes.get(displayName(largest));
  if (largest === undefined || shape === undefined) return null;
  const columns = shape.columns.filter((column) => column.generated === "").map((column) => quoteIdent(column.name));
  if (columns.length === 0) return null;
  const began = performance.now();
  const { rows, bytes } = await transaction(young, {}, async () => {
    await young.script(
      sql(
        "migrate.sample-table",
        `create temporary table bucardo_sample (${columns.map((column) => `${column} text`).join(", ")}) on commit drop`,
      ),
    );
    const only = shape.kind === "partitioned" ? "" : "only ";
    const texts = columns.map((column) => `t.${column}::text`).join(", ");
    return copyBetween({
      from: old,
      fromText: sql("migrate.sample-read", `copy (select ${texts} from ${only}${quoteName(shape)} t limit ${SAMPLE_ROWS}) to stdout`),
      to: young,
      toText: sql("migrate.sample-fill", "copy pg_temp.bucardo_sample from stdin"),
      signal,
    });
  }).catch(async (error: unknown) => {
    await rollbackQuietly(young);
    throw error;
  });
  const seconds = (performance.now() - began) / 1000;
  const table = inventory.tables.find((each) => displayName(each) === displayName(largest));
  const share = table?.rows ? Math.min(1, rows / table.rows) : rows < SAMPLE_ROWS ? 1 : bytes / largest.bytes;
  const total = selection.tables.reduce((sum, each) => sum + each.bytes, 0);
  const indexes = inventory.tables.reduce((sum, each) => sum + each.indexBytes, 0);
  // By disk, as rows of other tables are of other widths; two streams at a time help, more than that seldom.
  const diskPerSecond = (share * largest.bytes) / Math.max(0.001, seconds);
  const speed = Math.min(diskPerSecond * Math.min(2, options.jobs), options.maxRate ?? Number.POSITIVE_INFINITY);
  return {
    sample: { table: displayName(largest), rows, bytes, seconds },
    copySeconds: total / Math.max(1, speed),
    indexSeconds: indexes / Math.max(1, speed / 2),
    compareSeconds: total / COMPARE_BYTES_PER_SECOND,
    windowSeconds:
      selection.tables.filter(({ handling }) => handling === "window").reduce((sum, each) => sum + each.bytes, 0) /
      Math.max(1, diskPerSecond),
  };
}
