import { expect, test } from "vitest";
import { Arrivals } from "./arrivals.ts";

test("with one source nobody waits for others", () => {
  expect(new Arrivals().complete(1, "B", [])).toBe(true);
});

test("a target waits until every source has brought home what it had", () => {
  const arrivals = new Arrivals();
  const sources = ["B", "C"];
  expect(arrivals.complete(1, "T", sources)).toBe(false);
  expect(arrivals.arrive(1, "B")).toBe(true);
  expect(arrivals.arrive(1, "B")).toBe(false);
  expect(arrivals.complete(1, "T", sources)).toBe(false);
  expect(arrivals.complete(1, "C", sources)).toBe(true);
  arrivals.arrive(1, "C");
  expect(arrivals.complete(1, "T", sources)).toBe(true);
  expect(arrivals.complete(2, "T", sources)).toBe(false);
});

test("what nobody waits for is forgotten", () => {
  const arrivals = new Arrivals();
  arrivals.arrive(1, "B");
  arrivals.keep(new Set([2]));
  expect(arrivals.complete(1, "T", ["B"])).toBe(false);
});
