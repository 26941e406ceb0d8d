import { expect, test } from "vitest";
import { Pace } from "./progress.ts";

test("rate and time left come from the last seconds, not from the whole", () => {
  const pace = new Pace();
  expect(pace.rate).toBeNull();
  pace.add(0, 0);
  expect(pace.left(100)).toBeNull();
  pace.add(1000, 10);
  expect(pace.rate).toBe(10);
  expect(pace.left(100)).toBe(9);
  for (let second = 20; second <= 40; second++) pace.add(second * 1000, 10 + (second - 20) * 2);
  expect(pace.rate).toBe(2);
  expect(pace.left(null)).toBeNull();
});

test("a new phase begins from zero", () => {
  const pace = new Pace();
  pace.add(0, 500);
  pace.add(1000, 600);
  pace.add(2000, 0);
  expect(pace.rate).toBeNull();
  pace.add(3000, 5);
  expect(pace.rate).toBe(5);
});

test("what stands still has no end", () => {
  const pace = new Pace();
  pace.add(0, 5);
  pace.add(2000, 5);
  expect(pace.rate).toBe(0);
  expect(pace.left(10)).toBeNull();
});
