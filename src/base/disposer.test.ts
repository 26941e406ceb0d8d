import { expect, test } from "vitest";
import { Disposer } from "./disposer.ts";

test("releases in the opposite order, each awaited, all in spite of errors", async () => {
  const done: string[] = [];
  const disposer = new Disposer();
  disposer.defer(() => done.push("first"));
  disposer.defer(() => Promise.reject(new Error("one")));
  disposer.defer(async () => {
    await Promise.resolve();
    done.push("last");
  });
  await expect(disposer[Symbol.asyncDispose]()).rejects.toThrow("one");
  expect(done).toEqual(["last", "first"]);
  await disposer[Symbol.asyncDispose]();
  expect(done).toHaveLength(2);
});

test("several errors come together", async () => {
  const disposer = new Disposer();
  for (const text of ["a", "b"]) disposer.defer(() => Promise.reject(new Error(text)));
  await expect(disposer[Symbol.asyncDispose]()).rejects.toBeInstanceOf(AggregateError);
});

test("takes over resources of both kinds; moving leaves nothing behind", async () => {
  const done: string[] = [];
  const disposer = new Disposer();
  disposer.use({ [Symbol.dispose]: () => void done.push("sync") });
  const resource = disposer.use({ [Symbol.asyncDispose]: async () => void done.push("async"), name: "r" });
  expect(resource.name).toBe("r");
  const heir = disposer.move();
  await disposer[Symbol.asyncDispose]();
  expect(done).toEqual([]);
  await heir[Symbol.asyncDispose]();
  expect(done).toEqual(["async", "sync"]);
});
