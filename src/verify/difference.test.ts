import { expect, test } from "vitest";
import { differingBuckets, differingRows, packBuckets, sortDifferences } from "./difference.ts";

const bucket = (rows: number, sum: string) => ({ rows, sum });
const row = (key: string, hash: string) => ({ key: [key], identity: null, hash });

test("buckets differ by rows, by sum, or by being there on one side only", () => {
  const source = new Map([
    [1, bucket(5, "9")],
    [2, bucket(5, "9")],
    [3, bucket(5, "9")],
    [4, bucket(1, "9")],
  ]);
  const target = new Map([
    [1, bucket(5, "9")],
    [2, bucket(7, "9")],
    [3, bucket(5, "8")],
    [5, bucket(2, "9")],
  ]);
  expect(differingBuckets(source, target)).toEqual(
    new Map([
      [2, 7],
      [3, 5],
      [4, 1],
      [5, 2],
    ]),
  );
});

test("rows differ by hash or by being there on one side only", () => {
  expect(differingRows([row("a", "1"), row("b", "1"), row("c", "1")], [row("d", "1"), row("b", "2"), row("a", "1")])).toEqual([
    { key: ["b"], kind: "different" },
    { key: ["c"], kind: "only-source" },
    { key: ["d"], kind: "only-target" },
  ]);
});

test("keys of several columns are not run together, and an identity counts instead of the key's text", () => {
  const two = (one: string, other: string) => ({ key: [one, other], identity: null, hash: "1" });
  expect(differingRows([two("a", "b,c")], [two("a,b", "c")])).toHaveLength(2);
  expect(differingRows([{ ...row("0.1", "1"), identity: ["3f"] }], [{ ...row("0.10000000000000001", "1"), identity: ["3f"] }])).toEqual([]);
});

test("packs hold whole buckets and not more rows than allowed; what is larger stands alone", () => {
  const buckets = new Map([
    [1, 4],
    [2, 6],
    [3, 1],
    [4, 11],
    [5, 10],
  ]);
  expect(packBuckets(buckets, 10)).toEqual([[1, 2], [3], [4], [5]]);
  expect(packBuckets(new Map(), 10)).toEqual([]);
});

test("keys are listed by number, then by the next column", () => {
  const keys = [
    ["10", "b"],
    ["9", "a"],
    ["10", "a"],
    ["x", ""],
  ].map((key) => ({ key, kind: "different" as const }));
  expect(sortDifferences(keys).map(({ key }) => key.join())).toEqual(["9,a", "10,a", "10,b", "x,"]);
});
