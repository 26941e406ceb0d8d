import { expect, test } from "vitest";
import { Bell } from "./bell.ts";

test("a ring before the wait is not lost, several are one", async () => {
  const bell = new Bell();
  bell.ring();
  bell.ring();
  expect(await bell.wait(null)).toBe(true);
  expect(await bell.wait(1)).toBe(false);
});

test("a ring ends the wait", async () => {
  const bell = new Bell();
  const waiting = bell.wait(null);
  bell.ring();
  expect(await waiting).toBe(true);
});
