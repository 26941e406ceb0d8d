import { expect, test } from "vitest";
import { parseInterval, showInterval } from "./interval.ts";
import { isPattern, matcherOf, select } from "./pattern.ts";

test.each<[string, number | null]>([
  ["90", 90],
  ["0.5", 0.5],
  ["2 minutes", 120],
  ["1 hour 30 minutes", 5400],
  ["250 ms", 0.25],
  ["00:05:00", 300],
  ["1:30", 5400],
  ["3d", 259_200],
  ["soon", null],
  ["5 fortnights", null],
  ["-3", null],
  ["", null],
])("%j is %j seconds", (text, seconds) => {
  expect(parseInterval(text)).toBe(seconds);
});

test.each<[number, string]>([
  [0.042, "42 ms"],
  [1.25, "1.3 s"],
  [59, "59 s"],
  [60, "1 min"],
  [90, "1 min 30 s"],
  [7200, "2 h"],
  [90_061, "1 d 1 h 1 min 1 s"],
])("%d seconds are shown as %s", (seconds, text) => {
  expect(showInterval(seconds)).toBe(text);
});

test.each<[string, string, boolean]>([
  ["a*", "abc", true],
  ["*c", "abc", true],
  ["a%c", "abc", true],
  ["a*", "Abc", false],
  ["all", "anything", true],
  ["a.c", "abc", false],
  ["a_c", "abc", false],
  ["x", "x", true],
  ["x", "xy", false],
])("%j fits %j: %j", (pattern, name, fits) => {
  expect(matcherOf(pattern)(name)).toBe(fits);
});

test("select keeps the order of the items, takes each once and tells what fits none", () => {
  expect(select(["b", "a", "c"], ["a", "*", "z", "y*"], (item) => item)).toEqual({ chosen: ["b", "a", "c"], unmatched: ["z", "y*"] });
  expect(["all", "a*", "%", "plain"].map(isPattern)).toEqual([true, true, true, false]);
});
