import { displayName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import type { Careful } from "./careful.ts";
import type { Fetched } from "./fetch.ts";

/** Milliseconds that a run spends on each of its tables. */
export type Stopwatch = { time<T>(table: string, work: () => Promise<T>): Promise<T>; of(table: string): number };

export function stopwatch(): Stopwatch {
  const spent = new Map<string, number>();
  return {
    async time(table, work) {
      const began = performance.now();
      try {
        return await work();
      } finally {
        spent.set(table, (spent.get(table) ?? 0) + performance.now() - began);
      }
    },
    of: (table) => Math.round(spent.get(table) ?? 0),
  };
}

/** What applying counted, and the rest that is known of the table. */
export function withStatistics(counts: TableCounts, fetched: readonly Fetched[], careful: Careful | null, watch: Stopwatch): TableCounts {
  const own = fetched.find(({ link }) => displayName(link.name) === counts.table);
  const captured = own?.plan.table.captured;
  const setAside = careful?.refused.filter((row) => row.captured === captured).length ?? 0;
  const overwritten = careful?.overwritten.filter((row) => row.captured === captured).length ?? 0;
  return {
    ...counts,
    ...(counts.refilled && own !== undefined && { why: own.plan.why }),
    ...(setAside > 0 && { setAside }),
    ...(overwritten > 0 && { overwritten }),
    bytes: own?.bytes ?? 0,
    ms: watch.of(counts.table),
  };
}
