import { expect, test } from "vitest";
import type { Conflict, ConflictPage } from "../replicate/conflict-hook.ts";
import { decidedBy, inputOf, verdictOf } from "./conflict.ts";
import { readOutcome } from "./outcome.ts";

const side = (db: string) => ({ db, at: null, gone: false });
const conflict = (...key: string[]): Conflict => ({ key, kind: "row", incoming: side("A"), local: side("B") });
const page: ConflictPage = {
  sync: "s",
  table: "public.t",
  keyColumns: ["a", "b"],
  sources: ["A", "B"],
  conflicts: [conflict("1", "x"), conflict("2", "y"), conflict("3", "z")],
  images: () => Promise.resolve([]),
};

test("code sees keys with who has them, as in version 5, and may put a name there or at a position", () => {
  expect(inputOf(page)["conflicts"]).toEqual({ "1\0x": { A: 1, B: 1 }, "2\0y": { A: 1, B: 1 }, "3\0z": { A: 1, B: 1 } });
  const output = { conflicts: { "1\0x": "B", "2\0y": { A: 1, B: 1 }, "3\0z": "A" }, winners: { 2: "skip" } };
  expect([...decidedBy(page, output)]).toEqual([
    [0, "B"],
    [2, "skip"],
  ]);
  expect(decidedBy(page, {}).size).toBe(0);
});

test.each([
  ["tablewinner", "B A", { tablewinner: ["B", "A"] }],
  ["tablewinner_always", ["B"], { tablewinnerAlways: ["B"] }],
  ["syncwinner", "A, B", { syncwinner: ["A", "B"] }],
  ["syncwinner_always", "A", { syncwinnerAlways: ["A"] }],
])("%s", (word, value, verdict) => {
  expect(verdictOf(new Map(), readOutcome({ [word]: value }).winner, null)).toEqual(verdict);
});

test("nothing said is nothing decided; why goes along with what is", () => {
  expect(verdictOf(new Map(), readOutcome({ tablewinner: "" }).winner, "because")).toBeNull();
  expect(verdictOf(new Map([[0, "B"]]), null, "because")).toEqual({ winners: new Map([[0, "B"]]), why: "because" });
});
