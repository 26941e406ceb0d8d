import { expect, test } from "vitest";
import { ConnectionLimit } from "./limit.ts";

test("up to the maximum per server at once, then first come, first served", async () => {
  const limit = new ConnectionLimit(2);
  const [first, second] = [await limit.acquire("a"), await limit.acquire("a")];
  const other = await limit.acquire("b");
  const admitted: number[] = [];
  const waiting = [1, 2].map((n) => limit.acquire("a").then((release) => (admitted.push(n), release)));
  await Promise.resolve();
  expect(admitted).toEqual([]);
  first();
  first();
  await waiting[0];
  expect(admitted).toEqual([1]);
  expect(limit.used("a")).toBe(2);
  second();
  for (const release of await Promise.all(waiting)) release();
  other();
  expect([limit.used("a"), limit.used("b")]).toEqual([0, 0]);
});

test("waiting ends with too-many-connections, or with the signal; both give up the place in the queue", async () => {
  const limit = new ConnectionLimit(1);
  const release = await limit.acquire("a");
  await expect(limit.acquire("a", { timeoutMs: 5, db: "x" })).rejects.toMatchObject({
    code: "too-many-connections",
    message: expect.stringContaining("all 1 connections"),
    details: { db: "x" },
  });
  const stop = new AbortController();
  const waiting = limit.acquire("a", { signal: stop.signal });
  const last = limit.acquire("a");
  stop.abort(new Error("stop"));
  await expect(waiting).rejects.toThrow("stop");
  release();
  (await last)();
  expect(limit.used("a")).toBe(0);
  await expect(limit.acquire("a", { signal: stop.signal })).rejects.toThrow("stop");
});

test("a lowered maximum holds for those who wait", async () => {
  const limit = new ConnectionLimit(2);
  const releases = [await limit.acquire("a"), await limit.acquire("a")];
  let admitted = false;
  const waiting = limit.acquire("a").then((release) => ((admitted = true), release));
  limit.max = 1;
  releases[0]?.();
  await new Promise(setImmediate);
  expect(admitted).toBe(false);
  releases[1]?.();
  (await waiting)();
  expect(limit.used("a")).toBe(0);
});
