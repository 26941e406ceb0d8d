import { expect, test } from "vitest";
import type { Found } from "./found.ts";
import { putRightsBack, putThingsBack } from "./put-back.ts";

const putBack = (before: Found, now: Found, database: string): string[] => [
  ...putThingsBack(before, now),
  ...putRightsBack(before, now, database),
];
const nothing: Found = { loose: [], things: [], rights: [], defaults: [], settings: [], connectionLimit: -1 };
const read = (to: string | null, grantable = false) => ({ to, privilege: "SELECT", grantable });

test("what is as it was needs nothing", () => {
  const found: Found = {
    ...nothing,
    rights: [{ on: "TABLE a.b", now: [read("x")], usual: [] }],
    settings: [{ role: null, settings: ["a=b"] }],
  };
  expect(putBack(found, found, "d")).toEqual([]);
});

test("rights that came go, rights that went come, and what was never told of has the usual ones", () => {
  const before: Found = { ...nothing, rights: [{ on: "SCHEMA s", now: [read("x", true)], usual: [read(null)] }] };
  const now: Found = { ...nothing, rights: [{ on: "TABLE a.b", now: [read("y")], usual: [read("z")] }] };
  expect(putBack(before, now, "d")).toEqual([
    'revoke all on TABLE a.b from "y" cascade',
    'grant SELECT on TABLE a.b to "z"',
    "revoke all on SCHEMA s from public cascade",
    'grant SELECT on SCHEMA s to "x" with grant option',
  ]);
});

test("owners, comments, default rights and settings", () => {
  const before: Found = {
    ...nothing,
    things: [
      { what: "SCHEMA s", owner: "a", comment: null },
      { what: "SCHEMA gone", owner: "a", comment: null },
    ],
    settings: [{ role: "r", settings: ["work_mem=1MB"] }],
  };
  const now: Found = {
    ...nothing,
    things: [{ what: "SCHEMA s", owner: "b", comment: "it's" }],
    defaults: [{ head: "alter default privileges for role a", kind: "tables", now: [read(null)], usual: [] }],
    settings: [{ role: null, settings: ["work_mem=2MB"] }],
    connectionLimit: 3,
  };
  expect(putBack(before, now, "d")).toEqual([
    'alter SCHEMA s owner to "a"',
    "comment on SCHEMA s is NULL",
    "alter default privileges for role a revoke all on tables from public cascade",
    'alter database "d" connection limit -1',
    'alter database "d" reset all',
    'alter role "r" in database "d" reset all',
    `alter role "r" in database "d" set "work_mem" TO '1MB'`,
  ]);
});
