import { expect, test } from "vitest";
import { resolveSettings } from "../config/setting.ts";
import type { TargetFacts } from "../control/alert-facts.ts";
import { problemsOf } from "./problems.ts";

const fine: TargetFacts = {
  syncId: "1",
  sync: "s",
  paused: false,
  byItself: true,
  target: "B",
  state: "Idle",
  detail: null,
  deltas: 0,
  lagSeconds: 0,
  behindSeconds: 3,
  sinceGoodSeconds: 5000,
  sinceAddedSeconds: 90_000,
  setAside: 0,
};
const kinds = (more: Partial<TargetFacts>, stored: Record<string, string> = {}): string[] => {
  const settings = resolveSettings(stored);
  return problemsOf({ targets: [{ ...fine, ...more }], sources: [], conflicts: [] }, () => settings, settings).map(
    ({ kind, grade }) => `${kind} ${grade}`,
  );
};

test("a target at rest has none, however long ago its last run was", () => {
  expect(kinds({})).toEqual([]);
  expect(kinds({}, { overdue: "1 minute", expired: "2 minutes" })).toEqual([]);
});

test("stopped is worse than tried again, and another problem", () => {
  expect(kinds({ state: "Stopped", detail: "It broke." })).toEqual(["failed critical"]);
  expect(kinds({ state: "Waiting", detail: "No answer." })).toEqual(["failed warning"]);
});

test("lag: when changes wait too long; not while paused, nor for a sync that runs only when kicked", () => {
  const behind = { deltas: 3, lagSeconds: 1000, behindSeconds: 1000, sinceGoodSeconds: 1000 };
  expect(kinds(behind)).toEqual(["lag warning"]);
  expect(kinds(behind, { alert_lag: "20 minutes" })).toEqual([]);
  expect(kinds(behind, { alert_lag: "none" })).toEqual([]);
  expect(kinds({ ...behind, byItself: false })).toEqual([]);
  expect(kinds({ ...behind, paused: true })).toEqual([]);
});

test("overdue and expired: since it was last known to be up to date, else since it was added", () => {
  const late = { overdue: "10 minutes", expired: "1 hour" };
  expect(kinds({ behindSeconds: 700, sinceGoodSeconds: 700 }, late)).toEqual(["overdue warning"]);
  expect(kinds({ behindSeconds: 4000, sinceGoodSeconds: 3700 }, late)).toEqual(["expired critical"]);
  expect(kinds({ behindSeconds: null, sinceGoodSeconds: null, sinceAddedSeconds: 100 }, late)).toEqual([]);
  expect(kinds({ behindSeconds: null, sinceGoodSeconds: null }, late)).toEqual(["expired critical"]);
});

test("rows set aside, and deltas that fill a disk", () => {
  expect(kinds({ setAside: 2 })).toEqual(["set-aside warning"]);
  const settings = resolveSettings({ alert_delta_disk: "1 MB" });
  const disk = (bytes: number, note: string | null, secondsLeft: number | null) =>
    problemsOf({ targets: [], sources: [{ db: "A", bytes, note, secondsLeft }], conflicts: [] }, () => settings, settings).map(
      ({ grade }) => grade,
    );
  expect(disk(1000, null, null)).toEqual([]);
  expect(disk(2_000_000, null, null)).toEqual(["warning"]);
  expect(disk(1000, "The quota is reached.", 0)).toEqual(["critical"]);
});

test("conflicts: from so many within an hour on; 0: never", () => {
  const count = (conflicts: number, stored: Record<string, string> = {}) => {
    const settings = resolveSettings(stored);
    return problemsOf({ targets: [], sources: [], conflicts: [{ syncId: "1", sync: "s", conflicts }] }, () => settings, settings).length;
  };
  expect([count(1), count(1, { alert_conflicts: "5" }), count(5, { alert_conflicts: "5" }), count(9, { alert_conflicts: "0" })]).toEqual([
    1, 0, 1, 0,
  ]);
});
