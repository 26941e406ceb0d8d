import { expect, test } from "vitest";
import { backoff } from "./backoff.ts";

test("doubles from the base up to the cap", () => {
  const random = () => 1;
  expect([1, 2, 3, 4, 5, 8, 9, 1000, 1e9].map((attempt) => backoff(attempt, { random }))).toEqual([
    250, 500, 1000, 2000, 4000, 30_000, 30_000, 30_000, 30_000,
  ]);
  expect([0, 1, 2].map((attempt) => backoff(attempt, { base: 10, cap: 15, random }))).toEqual([10, 10, 15]);
});

test("lies between half and the whole", () => {
  expect(backoff(1, { random: () => 0 })).toBe(125);
  expect(backoff(1, { random: () => 0.5 })).toBe(188);
});
