import { describe, expect, test } from "vitest";
import type { RunRow } from "../../control/run.ts";
import type { TargetState } from "../../control/target-state.ts";
import { describeProgress } from "./describe-progress.ts";
import { statusDetail } from "./status-detail.ts";
import { wordOf, type Status, type SyncStatus, type TargetStatus } from "./status-read.ts";
import { statusTable } from "./status-table.ts";
import { seconds, showTime } from "./status-time.ts";

const now = new Date(2026, 10, 22, 17, 30, 0);
const at = (minutes: number, ms = 0): Date => new Date(now.getTime() - minutes * 60_000 + ms);

function runOf(more: Partial<RunRow>): RunRow {
  return {
    id: 1,
    sync: "id",
    target: "B",
    reason: "kick",
    started: at(5),
    ended: at(5, 1234),
    outcome: "good",
    step: null,
    table: null,
    rowsExpected: null,
    rowsDone: 0,
    rate: null,
    bytesDone: 0,
    upserted: 10,
    deleted: 2,
    truncates: 0,
    errorCode: null,
    errorMessage: null,
    errorTable: null,
    errorKey: null,
    tables: [],
    sqlstate: null,
    advice: null,
    updated: at(5, 1234),
    ...more,
  };
}

function stateOf(more: Partial<TargetState> = {}): TargetState {
  return {
    sync: "id",
    target: "B",
    state: "Idle",
    detail: null,
    lastGood: 1,
    lastBad: null,
    lastWritten: 1,
    deltas: 0,
    lagSeconds: 0,
    setAside: 0,
    checked: now,
    updated: now,
    ...more,
  };
}

function targetOf(more: Partial<TargetStatus> = {}): TargetStatus {
  return { target: "B", state: stateOf(), running: null, lastGood: runOf({}), lastBad: null, lastWritten: null, ...more };
}

const sync: SyncStatus["sync"] = {
  id: "id",
  name: "pepper",
  relgroup: "pepper",
  dbgroup: "g",
  status: "active",
  paused: false,
  autokick: false,
  checktime: 90,
  onetimecopy: 0,
  strictChecking: true,
  onError: "stop",
  conflictStrategy: "bucardo_latest",
  fkConflict: "restore",
  sequenceConflict: "highest",
  priority: 0,
  legacy: {},
  ready: true,
  declared: "active",
  members: [
    { db: "A", role: "source", priority: 0 },
    { db: "B", role: "target", priority: 0 },
  ],
  relations: [],
  ghosts: [],
};

function statusOf(targets: readonly TargetStatus[], more: Partial<Status> = {}): Status {
  const alive = more.alive ?? true;
  return {
    alive,
    local: true,
    daemon: { pid: 77, host: "h", version: "6", reason: null, started: at(60), ready: at(60), stopped: null, url: null },
    sources: [],
    syncs: [{ sync, targets, word: wordOf(sync, targets, alive), kicksWaiting: 0, settings: {} }],
    ...more,
  };
}

describe("the word of a sync", () => {
  test.each([
    ["Good", [targetOf()]],
    ["No records found", [targetOf({ lastGood: null, state: null })]],
    ["Bad", [targetOf(), targetOf({ state: stateOf({ state: "Waiting" }) })]],
    ["Bad", [targetOf({ lastBad: runOf({ id: 2, outcome: "bad" }) })]],
    ["Good", [targetOf({ lastGood: runOf({ id: 3 }), lastBad: runOf({ id: 2, outcome: "bad" }) })]],
    ["Stopped", [targetOf(), targetOf({ state: stateOf({ state: "Stopped" }) })]],
    ["Applying", [targetOf({ running: runOf({ ended: null, outcome: null, step: "applying" }) })]],
  ])("%s", (word, targets) => {
    expect(wordOf(sync, targets, true)).toBe(word);
  });

  test("nothing is good while no daemon lives, or the sync is off", () => {
    expect(wordOf(sync, [targetOf()], false)).toBe("Off");
    expect(wordOf({ status: "inactive", paused: false }, [targetOf()], true)).toBe("Inactive");
    expect(wordOf({ status: "active", paused: true }, [targetOf()], true)).toBe("Paused");
  });
});

test("the table", () => {
  const lines = statusTable(statusOf([targetOf({ state: stateOf({ deltas: 12, lagSeconds: 3 }) })]), { column: 0, descending: false }, now);
  expect(lines).toEqual([
    "PID of Bucardo MCP: 77",
    " Name     State   Last good      Time      Last I/D   Last bad   Time   Lag",
    "========+=======+==============+=========+==========+==========+======+==========",
    " pepper | Good  | 17:25:01.234 | 1.234 s | 10/2     | none     |      | 12 (3 s)",
  ]);
});

test("who does not run is said first", () => {
  expect(statusTable({ ...statusOf([]), syncs: [], daemon: null, alive: false }, { column: 0, descending: false }, now)).toEqual([
    "Bucardo has never been started. `bucardo start` starts it.",
    "No syncs have been created yet.",
  ]);
  expect(statusTable(statusOf([targetOf()], { alive: false }), { column: 0, descending: false }, now)[0]).toMatch(
    /^Bucardo is not running .*did not stop in order/,
  );
});

test("the block names the last error with its advice as long as no later run was good", () => {
  const failed = runOf({ id: 2, outcome: "bad", errorMessage: "It broke.", advice: "Mend it." });
  const [one] = statusOf([targetOf({ lastBad: failed, state: stateOf({ state: "Stopped", detail: "It broke. Mend it." }) })]).syncs;
  const text = statusDetail(one!, [], now).join("\n");
  expect(text).toMatch(/Last error +: It broke\.\nAdvice +: Mend it\./);
  expect(text).toMatch(/Check time +: 1 min 30 s/);
  expect(text).toContain("Target B: Stopped, lag 0, last good 17:25:01.234 (1.234 s), last bad");
  const [healed] = statusOf([targetOf({ lastGood: runOf({ id: 3 }), lastBad: failed })]).syncs;
  expect(statusDetail(healed!, [], now).join("\n")).not.toContain("Last error");
});

test("progress: rows, rate and what is left; where there is little room, never a part of a number", () => {
  const run = { target: "B", step: "fetching", table: "public.t", rowsDone: 1000, rowsExpected: 5000, rate: 500 };
  expect(describeProgress(run)).toBe("B: fetching public.t, 1,000 of 5,000 rows, 500 rows/s, 8 s left");
  expect(describeProgress(run, 55)).toBe("B: fetching public.t, 1,000 of 5,000 rows, 8 s left");
  expect(describeProgress(run, 40)).toBe("B, 8 s left");
  expect(describeProgress({ ...run, rate: null })).toBe("B: fetching public.t, 1,000 of 5,000 rows");
  expect(describeProgress({ ...run, rowsDone: 0, rate: null })).toBe("B: fetching public.t, 5,000 rows to come");
  expect(describeProgress({ ...run, rowsExpected: null })).toBe("B: fetching public.t, 1,000 rows, 500 rows/s");
  expect(describeProgress({ ...run, rowsDone: 6000 })).toBe("B: fetching public.t, 6,000 rows, 500 rows/s");
  expect(describeProgress({ ...run, step: "applying", rate: null })).toBe("B: applying public.t, 1,000 rows");
  expect(describeProgress({ ...run, step: "taking", table: null, rowsDone: 0, rowsExpected: null, rate: null })).toBe(
    "B: looking for changes",
  );
});

test("times are shown with milliseconds, with the day when it is not today's", () => {
  expect(showTime(at(0, 42), now)).toBe("17:30:00.042");
  expect(showTime(new Date(2026, 10, 21, 9, 5), now)).toBe("2026-11-21 09:05");
  expect([seconds(42), seconds(75_100), seconds(3_720_000)]).toEqual(["0.042 s", "75.100 s", "1 h 2 min"]);
});
