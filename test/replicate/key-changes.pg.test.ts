import { expect, test } from "vitest";
import { releaseSync } from "../../src/capture/release.ts";
import { openRig, openSession } from "./rig.ts";

test("a key that may suddenly be NULL stops the sync, not the writers", async () => {
  await using rig = await openRig({ majors: [12, 18], schema: "create table t (id int not null unique, v text)", tables: ["t"] });
  await rig.source.query("insert into t values (1, 'one')");
  await rig.run();
  await rig.source.query("alter table t alter id drop not null");
  await rig.source.query("insert into t values (null, 'nobody'), (2, 'two')");
  await expect(rig.run()).rejects.toMatchObject({
    code: "schema-mismatch",
    message: expect.stringContaining("id") as string,
    details: { table: "public.t", advice: expect.stringContaining("set not null") as string },
  });
  await rig.source.query("update t set id = 3 where id is null; alter table t alter id set not null");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test.for([
  ["a plain table", 18, "create table t (part int, id int, v text, primary key (part, id))", "t"],
  [
    "a partition tree",
    18,
    "create table t (part int, id int, v text, primary key (part, id)) partition by list (part); create table t_rest partition of t default",
    "t",
  ],
  [
    "a partition tree with row triggers",
    12,
    "create table t (part int, id int, v text, primary key (part, id)) partition by list (part); create table t_rest partition of t default",
    "t",
  ],
  [
    "a partition captured by itself",
    15,
    "create table p (part int, id int, v text, primary key (part, id)) partition by list (part); create table t partition of p default",
    "p",
  ],
  ["a child of inheritance", 10, "create table p (part int, id int, v text); create table t (primary key (part, id)) inherits (p)", "p"],
] as const)("the key of %s (%i) keeps its type while it is captured, so that no writer fails", async ([, from, schema, root]) => {
  await using rig = await openRig({
    majors: [from, 15],
    schema,
    targetSchema: "create table t (part int, id int, v text, primary key (part, id))",
    tables: ["t"],
  });
  await rig.source.query("insert into t values (1, 1, 'one'), (1, 2, 'two')");
  await rig.run();
  await expect(rig.source.query(`alter table ${root} alter id type text using id::text`)).rejects.toMatchObject({ code: "0A000" });
  await rig.source.query("insert into t values (1, 3, 'three'); update t set id = 4 where id = 1");
  expect((await rig.run()).tables).toMatchObject([{ refilled: false }]);
  expect(await rig.differences()).toEqual([]);

  await using session = await openSession(rig.source, "source");
  await releaseSync(session, rig.syncId);
  await rig.source.query(`alter table ${root} alter id type text using id::text; insert into t values (1, 'x', 'text')`);
});
