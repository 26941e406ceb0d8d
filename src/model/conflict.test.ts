import { expect, test } from "vitest";
import { parseStrategy } from "./conflict.ts";

test.each([
  ["bucardo_latest", { kind: "latest" }],
  ["latest", { kind: "latest" }],
  ["BUCARDO_LATEST_ALL_TABLES", { kind: "latest_all_tables" }],
  ["source", { kind: "source" }],
  ["bucardo_target", { kind: "target" }],
  ["skip", { kind: "skip" }],
  ["random", { kind: "random" }],
  ["abort", { kind: "abort" }],
  ["bucardo_custom", { kind: "abort" }],
  ["B, A", { kind: "list", dbs: ["B", "A"] }],
  ["B A", { kind: "list", dbs: ["B", "A"] }],
  ["A", { kind: "list", dbs: ["A"] }],
  ["A C", null],
  ["newest", null],
  ["", null],
])("strategy %j", (text, expected) => {
  expect(parseStrategy(text, ["A", "B"])).toEqual(expected);
});
