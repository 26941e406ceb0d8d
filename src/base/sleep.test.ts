import { expect, test } from "vitest";
import { sleep } from "./sleep.ts";

test("waits", async () => {
  const began = performance.now();
  await sleep(20);
  expect(performance.now() - began).toBeGreaterThan(15);
});

test("ends with the signal's reason, also when that came first, and leaves no listener", async () => {
  const stop = new AbortController();
  const waiting = sleep(60_000, stop.signal);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(sleep(60_000, stop.signal)).rejects.toThrow("enough");
});
