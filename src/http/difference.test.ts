import { expect, test } from "vitest";
import { differenceOf } from "./difference.ts";
import type { Snapshot } from "./page-types.ts";

const db = (name: string, place = "here"): Snapshot["databases"][number] => ({ name, place, status: "active", deltas: null });
const snapshot = (more: Partial<Snapshot>): Snapshot => ({
  at: "2026-01-01T00:00:00.000Z",
  site: { version: "1", by: "daemon", hasControl: true, hasMigration: false },
  daemon: null,
  databases: [db("a"), db("b")],
  groups: [],
  syncs: [],
  targets: [],
  migration: null,
  trouble: { control: null, migration: null },
  ...more,
});

test("time alone is no change", () => expect(differenceOf(snapshot({}), snapshot({ at: "later" }))).toBeNull());

test("only what changed is told: new and other items, and keys of those that are gone", () => {
  expect(differenceOf(snapshot({}), snapshot({ at: "later", databases: [db("b", "there"), db("c")] }))).toEqual({
    at: "later",
    databases: { put: [db("b", "there"), db("c")], gone: ["a"] },
  });
});

test("what becomes null is told", () => {
  const trouble = { control: { code: "timeout", message: "m", advice: "a" }, migration: null };
  expect(differenceOf(snapshot({ trouble }), snapshot({}))).toEqual({
    at: expect.any(String),
    trouble: { control: null, migration: null },
  });
});
