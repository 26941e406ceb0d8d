import { expect, test } from "vitest";
import { DOZE_MS, PLAIN_POLL_MS, QUIET_MS, SAFETY_POLL_MS, step, type Phase, type Seen } from "./wake-up-state.ts";

const FAST_POLL_MS = 50;
const seen: Seen = { now: 100_000, phase: "awake", busy: false, lastBusy: 100_000 - QUIET_MS, flagUsable: true, fastMs: FAST_POLL_MS };

test("while there is work the watcher polls fast and the flag is down", () => {
  for (const phase of ["awake", "dozing"] as Phase[]) {
    expect(step({ ...seen, phase, busy: true })).toEqual({ phase: "awake", flag: "leave", waitMs: FAST_POLL_MS });
  }
  expect(step({ ...seen, phase: "asleep", busy: true })).toEqual({ phase: "awake", flag: "lower", waitMs: FAST_POLL_MS });
});

test("as soon as nothing waits it tries to raise the flag, so that the next change is heard at once", () => {
  expect(step({ ...seen, lastBusy: seen.now })).toEqual({ phase: "dozing", flag: "raise", waitMs: DOZE_MS });
});

test("while it cannot it polls, ever more slowly (H18: a writer that did not notify is still open)", () => {
  const waits = [2, 7, 30, 60, 10_000].map((ms) => step({ ...seen, phase: "dozing", lastBusy: seen.now - ms }));
  expect(waits.map(({ waitMs }) => waitMs)).toEqual([DOZE_MS, 7, 30, FAST_POLL_MS, FAST_POLL_MS]);
  expect(waits.every(({ phase, flag }) => phase === "dozing" && flag === "raise")).toBe(true);
});

test("asleep it relies on NOTIFY, with a safety poll", () => {
  expect(step({ ...seen, phase: "asleep" })).toEqual({ phase: "asleep", flag: "leave", waitMs: SAFETY_POLL_MS });
});

test("where writers cannot notify it polls for ever (H17), fast for a while after work", () => {
  expect(step({ ...seen, flagUsable: false, lastBusy: seen.now - QUIET_MS + 1 })).toEqual({
    phase: "awake",
    flag: "leave",
    waitMs: FAST_POLL_MS,
  });
  expect(step({ ...seen, flagUsable: false })).toEqual({ phase: "awake", flag: "leave", waitMs: PLAIN_POLL_MS });
});
