import { expect, test } from "vitest";
import { amount, duration, moment, size } from "./measure.ts";

test("sizes keep three digits at most", () => {
  expect([0, 999, 1024, 1536, 123 * 1024, 5 * 1024 ** 3, 13 * 1024 ** 4].map(size)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "1.5 kB",
    "123 kB",
    "5.0 GB",
    "13.0 TB",
  ]);
});

test("durations are as exact as they are short", () => {
  expect([40, 830, 42_000, 59_600, 192_000, 18_240_000, 180_000_000].map(duration)).toEqual([
    "0.0 s",
    "0.8 s",
    "42 s",
    "1 min 00 s",
    "3 min 12 s",
    "5 h 04 min",
    "2 d 2 h",
  ]);
});

test("a moment is told in milliseconds", () => {
  expect([0.4, 23.6, 999, 4200].map(moment)).toEqual(["0 ms", "24 ms", "999 ms", "4.2 s"]);
});

test("an amount carries its unit", () => {
  expect(amount(2048, "bytes")).toBe("2.0 kB");
  expect(amount(12_345, "rows")).toBe("12,345 rows");
});
