import { expect, test } from "vitest";
import { BUSY_GAP_MS, BUSY_ROWS, Pace } from "./pace.ts";

/** Runs of so many rows each, so many milliseconds apart, for two seconds. */
function after(rows: number, everyMs: number): Pace {
  const pace = new Pace();
  for (let now = 0; now < 2000; now += everyMs) pace.ran(now, rows);
  return pace;
}

test("changes now and then, and a few hundred a second, are carried at once", () => {
  expect(new Pace().gapMs(0)).toBe(0);
  expect(after(1, 1000).gapMs(2000)).toBe(0);
  expect(after(2, 4).gapMs(2000)).toBe(0);
});

test("a busy source makes larger runs, and after that stays with them", () => {
  expect(after((BUSY_ROWS * 1.2 * 5) / 1000, 5).gapMs(2000)).toBe(BUSY_GAP_MS);
  expect(after((BUSY_ROWS * 1.2 * 60) / 1000, 60).gapMs(2000)).toBe(BUSY_GAP_MS);
});

test("one large run does not slow down what comes a few seconds later", () => {
  const pace = new Pace();
  pace.ran(0, 20_000);
  expect(pace.gapMs(10)).toBe(BUSY_GAP_MS);
  expect(pace.gapMs(3000)).toBe(0);
});
