import { expect, test } from "vitest";
import { shareRuns } from "./share-runs.ts";

test("one run at a time; whoever asks meanwhile shares the one after it", async () => {
  const ends: (() => void)[] = [];
  const advance = shareRuns(() => new Promise<void>((resolve) => ends.push(resolve)));
  const first = advance();
  const [second, third] = [advance(), advance()];
  expect(ends.length).toBe(1);
  ends[0]!();
  await first;
  await expect.poll(() => ends.length).toBe(2);
  const fourth = advance();
  ends[1]!();
  await Promise.all([second, third]);
  await expect.poll(() => ends.length).toBe(3);
  ends[2]!();
  await fourth;
  const fifth = advance();
  expect(ends.length).toBe(4);
  ends[3]!();
  await fifth;
});

test("a run that fails fails those who waited for it, and nobody else", async () => {
  let fail = true;
  const advance = shareRuns(async () => {
    if (fail) throw new Error("broken");
  });
  const first = advance();
  const second = advance();
  await expect(first).rejects.toThrow("broken");
  await expect(second).rejects.toThrow("broken");
  fail = false;
  await advance();
});
