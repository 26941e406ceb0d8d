import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { anySignal, orAbort, withTimeout } from "./abort.ts";

test("any of several signals aborts, with its reason; the others are let go", () => {
  const [a, b] = [new AbortController(), new AbortController()];
  using signal = anySignal(a.signal, undefined, b.signal);
  expect(signal.aborted).toBe(false);
  b.abort("b");
  expect(signal.reason).toBe("b");
  expect(getEventListeners(a.signal, "abort")).toHaveLength(0);
});

test("a signal that has aborted already counts", () => {
  expect(anySignal(new AbortController().signal, AbortSignal.abort("gone")).reason).toBe("gone");
});

test("disposing lets go of all", () => {
  const parent = new AbortController();
  {
    using signal = anySignal(parent.signal);
    expect(signal.aborted).toBe(false);
    expect(getEventListeners(parent.signal, "abort")).toHaveLength(1);
  }
  expect(getEventListeners(parent.signal, "abort")).toHaveLength(0);
});

test("work in time gives its value, work too late the error, and its signal aborts", async () => {
  const late = () => new Error("late");
  const outer = new AbortController();
  expect(await withTimeout(1000, outer.signal, late, () => Promise.resolve(7))).toBe(7);
  let given: AbortSignal | undefined;
  const forever = withTimeout(10, outer.signal, late, (signal) => ((given = signal), new Promise(() => undefined)));
  await expect(forever).rejects.toThrow("late");
  expect(given?.aborted).toBe(true);
  expect(getEventListeners(outer.signal, "abort")).toHaveLength(0);
});

test("the outer signal ends the work", async () => {
  const outer = new AbortController();
  const working = withTimeout(
    60_000,
    outer.signal,
    () => new Error("late"),
    () => new Promise(() => undefined),
  );
  outer.abort(new Error("stop"));
  await expect(working).rejects.toThrow("stop");
});

test("a promise that fails after the abort is no unhandled rejection", async () => {
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise((_, reject) => (fail = reject));
  const ended = expect(orAbort(promise, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
  fail(new Error("later"));
  await ended;
});
