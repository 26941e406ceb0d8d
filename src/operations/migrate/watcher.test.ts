import { expect, test } from "vitest";
import type { Step } from "../../migrate/state.ts";
import { timesOf } from "./watcher.ts";

const at = (second: number): Date => new Date(second * 1000);
const step = (phase: string, began: number, ended: number | null): Step => ({
  phase,
  began: at(began),
  ended: ended === null ? null : at(ended),
  outcome: null,
  detail: null,
});

test("only the time that somebody worked counts, not the nights between", () => {
  const steps = [step("schema", 0, 2), step("copy", 2, 10), step("copy", 1000, 1005), step("keys", 1005, null)];
  expect(timesOf(steps, at(1006))).toEqual({ took: { schema: 2000, copy: 13_000, keys: 1000 }, elapsedMs: 16_000 });
});
