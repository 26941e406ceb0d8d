import { describe, expect, test } from "vitest";
import { retries } from "../model/retry.ts";
import { COPY_LOOK_MS, lookAgainMs, schedule, type Failure, type Situation } from "./schedule.ts";

const idle: Situation = {
  now: 1_000_000,
  controlHeld: true,
  paused: false,
  copyHeld: false,
  first: false,
  newKicks: false,
  kicks: false,
  changeSeen: false,
  changeGapMs: 0,
  checktime: null,
  lastBegan: 900_000,
  lastEnded: 900_100,
  failure: null,
  again: false,
};
const failed = (retry: Failure["retry"], more: Partial<Failure> = {}): Failure => ({
  retry,
  attempts: 1,
  at: idle.now - 10,
  waitMs: 4000,
  ...more,
});

describe("a healthy target", () => {
  test("waits for an event when nothing asks for a run", () => {
    expect(schedule(idle)).toEqual({ do: "wait", at: null, state: "Idle" });
  });
  test("runs once when the daemon starts, before anything else", () => {
    expect(schedule({ ...idle, first: true, kicks: true, lastBegan: null, lastEnded: null })).toEqual({ do: "run", reason: "start" });
  });
  test("runs for a kick", () => {
    expect(schedule({ ...idle, kicks: true, newKicks: true, changeSeen: true })).toEqual({ do: "run", reason: "kick" });
  });
  test("runs at once for a change after a quiet time, and with a gap in a busy one", () => {
    expect(schedule({ ...idle, changeSeen: true })).toEqual({ do: "run", reason: "change" });
    const soon = { ...idle, changeSeen: true, lastEnded: idle.now };
    expect(schedule(soon)).toEqual({ do: "run", reason: "change" });
    expect(schedule({ ...soon, changeGapMs: 50 })).toEqual({ do: "wait", at: idle.now + 50, state: "Idle" });
  });
  test("runs when checktime is over since the last run began", () => {
    expect(schedule({ ...idle, checktime: 100 })).toEqual({ do: "run", reason: "checktime" });
    expect(schedule({ ...idle, checktime: 101 })).toEqual({ do: "wait", at: 1_001_000, state: "Idle" });
  });
  test("a change before the end of checktime does not wait for it", () => {
    expect(schedule({ ...idle, checktime: 3600, changeSeen: true })).toEqual({ do: "run", reason: "change" });
  });
});

describe("what holds a target", () => {
  test("nothing starts while the control database is lost", () => {
    expect(schedule({ ...idle, controlHeld: false, kicks: true, first: true }).do).toBe("wait");
  });
  test("nothing starts while paused, kicks neither", () => {
    expect(schedule({ ...idle, paused: true, kicks: true, newKicks: true, first: true })).toEqual({
      do: "wait",
      at: null,
      state: "Paused",
    });
  });
});

test("a copy waits while the deltas of its source are over their quota, and looks again", () => {
  expect(schedule({ ...idle, copyHeld: true, kicks: true, first: true })).toEqual({
    do: "wait",
    at: idle.now + COPY_LOOK_MS,
    state: "Waiting",
  });
});

describe("after a failure", () => {
  test("a fault that waits for a person is not repeated: changes, checktime and old kicks do not start a run", () => {
    const stopped = { ...idle, failure: failed("never", { at: 0 }), changeSeen: true, checktime: 1, kicks: true };
    expect(schedule(stopped)).toEqual({ do: "wait", at: null, state: "Stopped" });
  });
  test("where the cause may have been mended on a database, it is looked at again after a while, less and less often", () => {
    const stopped = { ...idle, failure: { ...failed("never"), lookAgainMs: 60_000 }, changeSeen: true, kicks: true };
    expect(schedule(stopped)).toEqual({ do: "wait", at: stopped.failure.at + 60_000, state: "Stopped" });
    expect(schedule({ ...stopped, now: stopped.failure.at + 60_000 })).toEqual({ do: "run", reason: "retry" });
    expect(lookAgainMs("source-changed", 1, 60_000, () => 1)).toBeUndefined();
    const times = [1, 2, 20].map((attempts) => lookAgainMs("data-rejected", attempts, 60_000, () => 1));
    expect(times).toEqual(times.toSorted((one, other) => (one ?? 0) - (other ?? 0)));
    expect(times.at(-1)).toBe(600_000);
  });
  test("a new kick, or being asked again, tries it once more, but not in a hot loop", () => {
    const stopped = { ...idle, failure: failed("never") };
    expect(schedule({ ...stopped, kicks: true, newKicks: true })).toEqual({
      do: "wait",
      at: stopped.failure.at + retries.kickGapMs,
      state: "Stopped",
    });
    expect(schedule({ ...stopped, now: stopped.failure.at + retries.kickGapMs, kicks: true, newKicks: true })).toEqual({
      do: "run",
      reason: "kick",
    });
    expect(schedule({ ...stopped, now: stopped.failure.at + retries.kickGapMs, again: true })).toEqual({ do: "run", reason: "retry" });
  });
  test("a fault that heals is repeated when its time has come, whatever else asks", () => {
    const waiting = { ...idle, failure: failed("backoff"), changeSeen: true, kicks: true };
    expect(schedule(waiting)).toEqual({ do: "wait", at: waiting.failure.at + 4000, state: "Waiting" });
    expect(schedule({ ...waiting, now: waiting.failure.at + 4000 })).toEqual({ do: "run", reason: "retry" });
  });
  test("a new kick shortens the wait", () => {
    const waiting = { ...idle, failure: failed("backoff"), kicks: true, newKicks: true };
    expect(schedule(waiting)).toEqual({ do: "wait", at: waiting.failure.at + retries.kickGapMs, state: "Waiting" });
  });
  test("a void run is repeated at once, but only so often", () => {
    expect(schedule({ ...idle, failure: failed("now", { attempts: retries.voidedRunsAtOnce }) })).toEqual({ do: "run", reason: "retry" });
    const often = failed("now", { attempts: retries.voidedRunsAtOnce + 1 });
    expect(schedule({ ...idle, failure: often })).toEqual({ do: "wait", at: often.at + often.waitMs, state: "Waiting" });
  });
});
