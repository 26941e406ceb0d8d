import { chunks } from "../base/chunks.ts";
import { carriedColumns } from "../catalog/compare.ts";
import type { TableShape } from "../catalog/table.ts";
import type { TermedTable } from "../catalog/terms.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { differingBuckets, differingRows, packBuckets, sortDifferences, type Difference } from "./difference.ts";
import { formOf } from "./row-text.ts";
import { planScan, readBuckets, readRows, tableBytes, type BucketSum, type Part, type Scan, type Slice } from "./scan.ts";
import { hashOfSums } from "./table-hash.ts";

export type TableJob = {
  readonly source: Session;
  readonly target: Session;
  readonly table: { readonly source: TableShape; readonly target: TableShape };
  /** Columns that name a row. */
  readonly key: readonly string[];
  /** Default: all that travel (`carriedColumns`). */
  readonly columns?: readonly string[];
  /** The source's table as the target is to see it, where that is something else. */
  readonly termed?: TermedTable;
  /** Stop after naming so many keys (default 20); the rest is then not looked at. */
  readonly limit?: number;
  /** Rows that are fetched at once to name keys (default 20,000): bounds the memory, whatever the table and however much of it differs. */
  readonly rowsAtOnce?: number;
  /** A range of keys instead of the whole table, and its size on the source's disk. */
  readonly slice?: { readonly source: Slice; readonly target: Slice; readonly bytes: number };
  readonly signal?: AbortSignal;
};

export type TableEquality = {
  readonly table: string;
  readonly equal: boolean;
  readonly sourceRows: number;
  readonly targetRows: number;
  /** Of all rows that were looked at (table-hash.ts). */
  readonly sourceHash: string;
  readonly targetHash: string;
  readonly differences: readonly Difference[];
  /** Those of keys that the caller told of; not among the others. */
  readonly expected?: readonly Difference[];
  /** False when `limit` was reached before everything was looked at. */
  readonly complete: boolean;
};

/** Both sides with the expressions to read them by. */
export type Scans = { readonly source: Scan; readonly target: Scan };

/** Sums of buckets that are held at once, as a power of two: some 20 MB for both sides. */
const SUMS_AT_ONCE_BITS = 16;
/** Rows that one bucket should have, by the size of the table on disk at some 60 bytes a row; a wrong guess only costs another scan. */
const BYTES_PER_BUCKET = 60 * 1000;

/**
 * Compares one table: each side is read once, grouped into buckets by a hash of the key; only keys of differing buckets are fetched
 * and compared one by one. Equal means: same keys, and the same text of every column. Only hashes and differing keys reach this process.
 * Both sessions should be in a REPEATABLE READ transaction (compare.ts), so that all scans of a side see one state.
 */
export async function compareTable(job: TableJob): Promise<TableEquality> {
  const scans = planScans(job);
  const bytes = job.slice?.bytes ?? (await tableBytes(job.source, job.table.source));
  const bits = Math.min(SUMS_AT_ONCE_BITS, Math.max(6, Math.ceil(Math.log2(bytes / BYTES_PER_BUCKET + 1))));
  const limit = job.limit ?? 20;
  const whole: Part = { bits: 0, endings: [0] };
  const { source, target } = await readBoth(scans, whole, bits);
  const search = new Search(scans, limit, job.rowsAtOnce ?? 20_000, job.signal);
  const complete = await search.look(differingBuckets(source, target), bits);
  return {
    table: displayName(job.table.source),
    equal: search.found.length === 0,
    sourceRows: countRows(source),
    targetRows: countRows(target),
    sourceHash: hashOfBuckets(source),
    targetHash: hashOfBuckets(target),
    differences: sortDifferences(search.found.slice(0, limit)),
    complete,
  };
}

export function planScans({ source, target, table, key, termed, slice, columns }: TableJob): Scans {
  const form = formOf(source, target);
  const here = termed?.shape ?? table.source;
  const common = { source: here, key: termed?.key ?? key, columns: columns ?? carriedColumns(here, table.target), form };
  return {
    source: planScan({ session: source, own: here, slice: slice?.source, ...(termed !== undefined && { from: termed.from }), ...common }),
    target: planScan({ session: target, own: table.target, slice: slice?.target, ...common }),
  };
}

/** Goes down into differing buckets until all differing keys, or enough of them, are named. */
class Search {
  readonly found: Difference[] = [];
  readonly #scans: Scans;
  readonly #limit: number;
  readonly #rowsAtOnce: number;
  readonly #signal: AbortSignal | undefined;

  constructor(scans: Scans, limit: number, rowsAtOnce: number, signal: AbortSignal | undefined) {
    this.#scans = scans;
    this.#limit = limit;
    this.#rowsAtOnce = rowsAtOnce;
    this.#signal = signal;
  }

  /** `buckets` with their rows, by the last `bits` bits. False when it stopped early. */
  async look(buckets: ReadonlyMap<number, number>, bits: number): Promise<boolean> {
    return bits < 31 && this.#isTooCoarse(buckets) ? this.#divide(buckets, bits) : this.#fetch(buckets, bits);
  }

  /** Dividing costs a scan of both sides, and so does each pack that is fetched. */
  #isTooCoarse(buckets: ReadonlyMap<number, number>): boolean {
    const sizes = [...buckets.values()];
    const rows = sizes.reduce((sum, size) => sum + size, 0);
    // Where so many buckets differ, the first pack names enough keys.
    const namesEnough = buckets.size >= this.#limit - this.found.length;
    return sizes.some((size) => size > this.#rowsAtOnce) || (rows > this.#rowsAtOnce && !namesEnough);
  }

  async #divide(buckets: ReadonlyMap<number, number>, bits: number): Promise<boolean> {
    const wanted = Math.max(4, Math.min(8, SUMS_AT_ONCE_BITS - Math.ceil(Math.log2(buckets.size))));
    const width = Math.min(wanted, 31 - bits);
    for (const endings of chunks([...buckets.keys()], 2 ** (SUMS_AT_ONCE_BITS - width))) {
      if (this.#enough()) return false;
      const { source, target } = await readBoth(this.#scans, { bits, endings }, width);
      if (!(await this.look(differingBuckets(source, target), bits + width))) return false;
    }
    return true;
  }

  async #fetch(buckets: ReadonlyMap<number, number>, bits: number): Promise<boolean> {
    for (const pack of packBuckets(buckets, this.#rowsAtOnce)) {
      if (this.#enough()) return false;
      const part = { bits, endings: pack };
      const [source, target] = await Promise.all([readRows(this.#scans.source, part), readRows(this.#scans.target, part)]);
      this.found.push(...differingRows(source, target));
    }
    return this.found.length <= this.#limit;
  }

  #enough(): boolean {
    this.#signal?.throwIfAborted();
    return this.found.length >= this.#limit;
  }
}

async function readBoth(scans: Scans, part: Part, width: number): Promise<Record<"source" | "target", Map<number, BucketSum>>> {
  const [source, target] = await Promise.all([readBuckets(scans.source, part, width), readBuckets(scans.target, part, width)]);
  return { source, target };
}

function countRows(buckets: ReadonlyMap<number, BucketSum>): number {
  let rows = 0;
  for (const bucket of buckets.values()) rows += bucket.rows;
  return rows;
}

function hashOfBuckets(buckets: ReadonlyMap<number, BucketSum>): string {
  return hashOfSums([...buckets.values()].map(({ sum }) => sum));
}
