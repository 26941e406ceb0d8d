import { sleep } from "../base/sleep.ts";
import { readKeyColumns } from "../capture/key-column.ts";
import { planScans, type TableJob } from "./compare-table.ts";
import type { Difference } from "./difference.ts";
import { lookUp, planLookup } from "./look-up.ts";

/** Time between two looks at the keys that still differ. */
const PAUSE_MS = 200;

/**
 * Looks again and again at keys that differ, until none does or `patienceMs` is over; returns those that never were equal.
 * While writers go on, source and target are never seen at one moment, so a row on its way differs for a while; a row that is
 * really wrong stays so. A key that was equal once is done with.
 */
export async function recheck(job: TableJob, differences: readonly Difference[], patienceMs: number): Promise<Difference[]> {
  const scans = planScans(job);
  const called = job.termed?.key ?? job.key;
  const lookups = {
    source: planLookup(scans.source, await readKeyColumns(job.source, job.table.source.oid, job.key), called),
    target: planLookup(scans.target, await readKeyColumns(job.target, job.table.target.oid, called)),
  };
  const end = performance.now() + patienceMs;
  let left = [...differences];
  while (left.length > 0 && performance.now() < end) {
    await sleep(PAUSE_MS, job.signal);
    const keys = left.map((difference) => difference.key);
    const [source, target] = await Promise.all([lookUp(lookups.source, keys), lookUp(lookups.target, keys)]);
    left = left.flatMap(({ key }, index): Difference[] => {
      const [here, there] = [source.get(index), target.get(index)];
      if (here === there) return [];
      return [{ key, kind: there === undefined ? "only-source" : here === undefined ? "only-target" : "different" }];
    });
  }
  return left;
}
