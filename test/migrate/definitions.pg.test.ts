import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { cutover } from "../../src/migrate/cutover.ts";
import { definitionsPrint } from "../../src/migrate/definitions-print.ts";
import { openRig, openSession } from "../replicate/rig.ts";
import { contextOf, describe } from "./rig.ts";

const schema = `create table t (id int primary key, v text); create table other (id int primary key); create sequence s;
  create function f() returns int language sql as 'select 1'; create view w as select * from t; create index on t (v)`;

test.each([10, 18] as const)(
  "definitions that come, go or are altered show; maintenance, rows and temporary tables do not (%i)",
  async (major) => {
    await using rig = await openRig({ schema, tables: ["t"], majors: [major, 18] });
    await using session = await openSession(rig.source, "source");
    let before = await definitionsPrint(session);
    await rig.source
      .query(`insert into t select i, 'x' from generate_series(1, 1000) i; select nextval('s'); analyze; create temporary table mine (id int); drop table mine;
    create index later on t (v)`);
    await rig.source.query("vacuum t");
    expect(await definitionsPrint(session)).toBe(before);
    for (const change of [
      "create table late (id int)",
      "alter table other add column v text",
      "alter table other alter column id set default 7",
      "drop table late",
      "alter table t disable trigger all",
      "create or replace function f() returns int language sql as 'select 2'",
      "grant select on t to public",
      "create schema another",
      "create type mood as enum ('good')",
      "alter table other add check (id > 0)",
      "create sequence more",
      "alter type mood add value 'bad'",
      "create or replace view w as select id, v from t where id > 1",
      "alter table other alter column id set default 8",
    ]) {
      await rig.source.query(change);
      const now = await definitionsPrint(session);
      expect(now, change).not.toBe(before);
      before = now;
    }
  },
);

test("a table made in the window, or a trigger of ours disabled there, undoes the cutover", async () => {
  for (const change of ["create table late (id int primary key)", "alter table other disable trigger all; insert into other values (5)"]) {
    await using rig = await openRig({ schema, tables: ["t", "other"], sequences: ["s"] });
    let done = false;
    using point = onPoint(async (at) => {
      if (at === "migrate.last-run") {
        await rig.source.query(change);
        done = true;
      }
    });
    const report = await cutover(contextOf(rig));
    expect([report.outcome, report.why?.code, done, point !== undefined], describe(report)).toEqual([
      "undone",
      "schema-mismatch",
      true,
      true,
    ]);
    await rig.source.query("insert into t values (1, 'as before')");
  }
});
