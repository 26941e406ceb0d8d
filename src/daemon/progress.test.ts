import { expect, test } from "vitest";
import { rateMeter } from "./progress.ts";

test("the rate counts from the first row and over the last ten seconds", () => {
  let now = 0;
  const rate = rateMeter(() => now);
  const after = (ms: number, rows: number): number | null => {
    now += ms;
    return rate(rows);
  };
  expect([after(60_000, 0), after(0, 100), after(100, 200)]).toEqual([null, null, null]);
  expect(after(900, 1100)).toBe(1000);
  expect(after(9000, 10_100)).toBe(1000);
  // Slower now: what was fast long ago does not help.
  expect(after(10_000, 10_200)).toBe(10);
  expect(after(10_000, 10_200)).toBeNull();
});
