import { expect, test } from "vitest";
import { PLAIN_POLL_MS, QUIET_MS, SAFETY_POLL_MS, step, type Phase, type Seen } from "./wake-up-state.ts";

const FAST_POLL_MS = 50;
const seen: Seen = { now: 100_000, phase: "awake", busy: false, lastBusy: 100_000 - QUIET_MS, flagUsable: true, fastMs: FAST_POLL_MS };

test("while there is work the watcher polls fast and the flag is down", () => {
  for (const phase of ["awake", "dozing"] as Phase[]) {
    expect(step({ ...seen, phase, busy: true })).toEqual({ phase: "awake", flag: "leave", waitMs: FAST_POLL_MS });
  }
  expect(step({ ...seen, phase: "asleep", busy: true })).toEqual({ phase: "awake", flag: "lower", waitMs: FAST_POLL_MS });
});

test("a short pause of the writers does not put it to sleep", () => {
  expect(step({ ...seen, lastBusy: seen.now - QUIET_MS + 1 })).toEqual({ phase: "awake", flag: "leave", waitMs: FAST_POLL_MS });
});

test("after a quiet time it tries to raise the flag, and polls fast until it could (H18: a writer that did not notify is still open)", () => {
  expect(step(seen)).toEqual({ phase: "dozing", flag: "raise", waitMs: FAST_POLL_MS });
  expect(step({ ...seen, phase: "dozing" })).toEqual({ phase: "dozing", flag: "raise", waitMs: FAST_POLL_MS });
});

test("asleep it relies on NOTIFY, with a safety poll", () => {
  expect(step({ ...seen, phase: "asleep" })).toEqual({ phase: "asleep", flag: "leave", waitMs: SAFETY_POLL_MS });
});

test("where writers cannot notify it polls for ever (H17)", () => {
  expect(step({ ...seen, flagUsable: false })).toEqual({ phase: "awake", flag: "leave", waitMs: PLAIN_POLL_MS });
});
