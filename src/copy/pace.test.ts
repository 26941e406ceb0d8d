import { expect, test } from "vitest";
import { paceOf } from "./pace.ts";

test("after the second's worth that is saved up, as many milliseconds as the bytes take at the rate", () => {
  let now = 0;
  const pace = paceOf(1000, () => now);
  expect(pace(1000)).toBe(0);
  expect(pace(500)).toBe(500);
  now = 500;
  expect(pace(250)).toBe(250);
  now = 10_000;
  expect(pace(1000)).toBe(0);
  expect(pace(5000)).toBe(1000);
});
