import { expect, test } from "vitest";
import { compareSelections, describeDrift } from "./drift.ts";
import type { MovedTable, Selection } from "./selection.ts";

const table = (name: string, oid: number, key: readonly string[] | null = ["id"]): MovedTable => ({
  schema: "s",
  name,
  oid,
  key,
  handling: key === null ? "window" : "follow",
  bytes: 0,
  unlogged: false,
  reason: null,
});
const selection = (tables: readonly MovedTable[], sequences: readonly string[] = []): Selection => ({
  tables,
  sequences: sequences.map((name) => ({ schema: "s", name })),
  leftOut: [],
  unchosen: [],
});

test("what came, went, was made anew, or has another key", () => {
  const before = selection([table("a", 1), table("b", 2), table("c", 3), table("d", 4, null)], ["x", "y"]);
  const now = selection([table("a", 1), table("b", 12), table("d", 4), table("e", 5)], ["y", "z"]);
  const drift = compareSelections(before, now);
  expect(describeDrift(drift)).toBe("new: s.e, s.z; dropped: s.c, s.x; dropped and made again: s.b; with another key: s.d");
});

test("sizes and order are no change", () => {
  const before = selection([table("a", 1), table("b", 2)]);
  const drift = compareSelections(before, selection([{ ...table("b", 2), bytes: 9 }, table("a", 1)]));
  expect(describeDrift(drift)).toBe("");
});
