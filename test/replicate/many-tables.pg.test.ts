import { expect, test } from "vitest";
import { startServer } from "../harness/server.ts";
import { openRig, type Rig } from "./rig.ts";

test("more changed tables than stages are kept go in one run; afterwards the connection keeps few", async () => {
  const tables = Array.from({ length: 70 }, (_, index) => `t${index}`);
  await using rig = await openRig({
    majors: [18, 18],
    schema: tables.map((table) => `create table ${table} (id int primary key, v text)`).join("; "),
    tables,
  });
  await rig.source.query(tables.map((table) => `insert into ${table} values (1, '${table}'), (2, 'gone soon')`).join("; "));
  expect((await rig.run()).tables).toHaveLength(tables.length);
  expect(await rig.differences()).toEqual([]);
  await rig.source.query(
    tables.map((table) => `update ${table} set v = 'again' where id = 1; delete from ${table} where id = 2`).join("; "),
  );
  expect((await rig.run()).tables).toHaveLength(tables.length);
  expect(await rig.differences()).toEqual([]);
  expect(await stages(rig)).toBe(tables.length);

  for (const value of ["first", "second"]) {
    await rig.source.query(`update t0 set v = '${value}'`);
    await rig.run();
  }
  expect(await stages(rig)).toBeLessThanOrEqual(64);
  expect(await rig.differences()).toEqual([]);
});

async function stages(rig: Rig): Promise<number> {
  const { count } = await rig.target.one<{ count: number }>("select count(*)::int from pg_class where relname like 'bucardo_stage_%'");
  return count;
}

test("an idle source rests: a run without changes writes nothing on it", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key)", tables: ["t"] });
  await rig.source.query("insert into t values (1)");
  await rig.run();
  const before = await rig.source.one("select snapshot, run from bucardo.checkpoint");
  await rig.run();
  expect(await rig.source.one("select snapshot, run from bucardo.checkpoint")).toEqual(before);
});

test("databases of one new server are captured for the first time at the same time", async () => {
  await using server = await startServer({ major: 15 });
  const rigs = await Promise.all(
    Array.from({ length: 6 }, () =>
      openRig({ sourceServer: server, targetServer: server, schema: "create table t (id int primary key)", tables: ["t"] }),
    ),
  );
  for (const rig of rigs) await rig[Symbol.asyncDispose]();
  expect(rigs).toHaveLength(6);
});
