import { expect, it } from "vitest";
import { nearest } from "./nearest.ts";

it.each([
  ["acounts", ["orders", "accounts"], "accounts"],
  ["Accounts", ["accounts"], "accounts"],
  ["accuonts", ["account", "accounts"], "accounts"],
  ["ab", ["xy", "a"], "a"],
  ["kick", ["stop", "pick", "kick"], "kick"],
  ["orders", ["accounts"], null],
  ["x", [], null],
  ["", ["a"], "a"],
])("%s among %j is %s", (name, candidates, meant) => {
  expect(nearest(name, candidates)).toBe(meant);
});
