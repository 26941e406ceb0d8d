import { expect, test } from "vitest";
import { Gate, Rate } from "./rate.ts";

test("a burst, then so many a second", () => {
  let now = 0;
  const rate = new Rate(3, 2, () => now);
  expect([1, 2, 3, 4].map(() => rate.take())).toEqual([true, true, true, false]);
  now = 500;
  expect([rate.take(), rate.take()]).toEqual([true, false]);
  now = 60_000;
  expect([1, 2, 3, 4].map(() => rate.take())).toEqual([true, true, true, false]);
});

test("so many work, so many wait, the next is sent away; a place is handed on once", async () => {
  const gate = new Gate(1, 1);
  const first = await gate.enter();
  const second = gate.enter();
  expect(await gate.enter()).toBeNull();
  first?.();
  first?.();
  const leave = await second;
  const third = gate.enter();
  expect(await gate.enter()).toBeNull();
  leave?.();
  (await third)?.();
  expect(await gate.enter()).not.toBeNull();
});
