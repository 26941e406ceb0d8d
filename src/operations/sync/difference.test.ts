import { expect, test } from "vitest";
import type { Relation, SyncDefinition } from "../../model/sync.ts";
import { compareCapture } from "./difference.ts";

const table = (name: string, more: Partial<Relation> = {}): Relation => ({
  id: 1,
  db: "A",
  schema: "public",
  name,
  kind: "table",
  keyColumns: null,
  autokick: null,
  strictChecking: null,
  conflictStrategy: null,
  ...more,
});

const base: SyncDefinition = {
  id: "00000000-0000-0000-0000-000000000001",
  name: "s",
  relgroup: "r",
  dbgroup: "g",
  status: "active",
  paused: false,
  autokick: true,
  checktime: null,
  onetimecopy: 0,
  strictChecking: true,
  onError: "stop",
  conflictStrategy: "bucardo_latest",
  fkConflict: "restore",
  sequenceConflict: "highest",
  priority: 0,
  legacy: {},
  members: [
    { db: "A", role: "source", priority: 0 },
    { db: "B", role: "target", priority: 0 },
  ],
  relations: [table("t"), table("u")],
};

test("nothing that capture depends on", () => {
  const relations = [table("u"), table("t"), table("s", { kind: "sequence" })];
  expect(
    compareCapture(base, { ...base, relations: [table("u"), table("t")], checktime: 5, status: "inactive", onetimecopy: 1, relgroup: "x" }),
  ).toBeNull();
  expect(compareCapture(base, { ...base, relations })?.newTables).toEqual([]);
});

test.each<[string, Partial<SyncDefinition>, object]>([
  [
    "a table more",
    { relations: [...base.relations, table("v")] },
    { grows: true, newTables: [{ schema: "public", name: "v" }], leftTables: [] },
  ],
  ["a table less", { relations: [table("t")] }, { newTables: [], leftTables: [{ schema: "public", name: "u" }] }],
  [
    "a target more",
    { members: [...base.members, { db: "C", role: "target", priority: 0 }] },
    { grows: true, newTargets: ["C"], leftTargets: [] },
  ],
  ["a target less", { members: base.members.slice(0, 1) }, { grows: false, newTargets: [], leftTargets: ["B"] }],
  [
    "another source",
    { members: [{ db: "C", role: "source", priority: 0 }, ...base.members.slice(1)] },
    { grows: true, leftSources: ["A"], leftTargets: [], newTargets: [] },
  ],
  ["another key", { relations: [table("t", { keyColumns: ["a"] }), table("u")] }, { grows: true, newTables: [], leftTables: [] }],
  ["autokick off", { autokick: false }, { grows: true, newTables: [] }],
  ["autokick of a table", { relations: [table("t", { autokick: false }), table("u")] }, { grows: true }],
  ["another name", { name: "z" }, { grows: true, newTargets: [], newTables: [] }],
])("%s", (_what, change, difference) => {
  expect(compareCapture(base, { ...base, ...change })).toMatchObject(difference);
});
