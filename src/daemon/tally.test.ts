import { expect, test } from "vitest";
import { RUN_SECONDS, Tally } from "./tally.ts";

const pepper = { syncId: "1", sync: "pepper", target: "new" };
const result = { bytes: 10, tables: [{ table: "a.b", upserted: 2, deleted: 1, refilled: false, conflicts: 2 }] };

test("counts runs by how they ended, and what they did", () => {
  const tally = new Tally();
  tally.add(pepper, "good", 20, result);
  tally.add(pepper, "good", 2000, result);
  tally.add(pepper, "empty", 1, { bytes: 0, tables: [] });
  tally.add({ ...pepper, target: "other" }, "bad", 600_000, null);
  expect(tally.targets).toEqual([
    { ...pepper, good: 2, empty: 1, bad: 0, upserted: 4, deleted: 2, bytes: 20, conflicts: 4, seconds: 2.021 },
    { ...pepper, target: "other", good: 0, empty: 0, bad: 1, upserted: 0, deleted: 0, bytes: 0, conflicts: 0, seconds: 600 },
  ]);
  expect(tally.lengths).toEqual({ upTo: [1, 2, 2, 2, 3, 3, 3], count: 4, seconds: 602.021 });
  expect(tally.lengths.upTo).toHaveLength(RUN_SECONDS.length);
});

test("a sample takes what is new, once; what found nothing to do is none", () => {
  const tally = new Tally();
  tally.add(pepper, "good", 20, result);
  expect(tally.take()).toEqual([{ syncId: "1", target: "new", rows: 3, bytes: 10, runs: 1, failed: 0 }]);
  tally.add(pepper, "empty", 20, { bytes: 0, tables: [] });
  expect(tally.take()).toEqual([]);
  tally.add(pepper, "bad", 20, null);
  expect(tally.take()).toEqual([{ syncId: "1", target: "new", rows: 0, bytes: 0, runs: 0, failed: 1 }]);
});

test("a renamed sync keeps its counts, a removed one has none", () => {
  const tally = new Tally();
  tally.add(pepper, "good", 20, result);
  tally.add({ ...pepper, sync: "salt" }, "good", 20, result);
  expect(tally.targets).toMatchObject([{ sync: "salt", good: 2 }]);
  tally.keep(new Set());
  expect(tally.targets).toEqual([]);
});
