import type { BucketSum, HashedRow } from "./scan.ts";

/** How a key differs. */
export type Kind = "only-source" | "only-target" | "different";

/** A key whose row is not the same on both sides; its values as text. They are values of users: for a terminal, never for a log. */
export type Difference = { readonly key: readonly string[]; readonly kind: Kind };

/** Buckets whose rows are not the same, with the larger of both counts. */
export function differingBuckets(source: ReadonlyMap<number, BucketSum>, target: ReadonlyMap<number, BucketSum>): Map<number, number> {
  const differing = new Map<number, number>();
  for (const bucket of new Set([...source.keys(), ...target.keys()])) {
    const [here, there] = [source.get(bucket), target.get(bucket)];
    if (here?.rows !== there?.rows || here?.sum !== there?.sum) differing.set(bucket, Math.max(here?.rows ?? 0, there?.rows ?? 0));
  }
  return differing;
}

/** Keys whose rows are not the same. */
export function differingRows(source: readonly HashedRow[], target: readonly HashedRow[]): Difference[] {
  const there = new Map(target.map((row) => [identity(row), row]));
  const differences: Difference[] = [];
  for (const row of source) {
    const other = there.get(identity(row));
    if (other === undefined) differences.push({ key: row.key, kind: "only-source" });
    else if (other.hash !== row.hash) differences.push({ key: row.key, kind: "different" });
    there.delete(identity(row));
  }
  for (const row of there.values()) differences.push({ key: row.key, kind: "only-target" });
  return differences;
}

function identity(row: HashedRow): string {
  return JSON.stringify(row.identity ?? row.key);
}

const byNumber = new Intl.Collator("en", { numeric: true });

/** As a person looks through a list: by the first key value, then the next; numbers by their value. */
export function sortDifferences(differences: readonly Difference[]): Difference[] {
  return differences.toSorted((one, other) => {
    const at = one.key.findIndex((value, index) => value !== other.key[index]);
    return at < 0 ? 0 : byNumber.compare(one.key[at]!, other.key[at]!);
  });
}

/** Buckets in packs of about `rows` rows; one that is larger is a pack by itself. */
export function packBuckets(buckets: ReadonlyMap<number, number>, rows: number): number[][] {
  const packs: number[][] = [];
  let room = -1;
  for (const [bucket, size] of buckets) {
    if (size > room) {
      packs.push([]);
      room = rows;
    }
    packs.at(-1)!.push(bucket);
    room -= size;
  }
  return packs;
}
