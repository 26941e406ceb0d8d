import { expect, test } from "vitest";
import { carryLargeObjects, compareLargeObjects } from "../../src/copy/large-object.ts";
import { refreshMaterializedViews } from "../../src/copy/materialized-view.ts";
import type { TestDatabase } from "../harness/database.ts";
import { openRig } from "../replicate/rig.ts";

const signal = new AbortController().signal;

async function contents(database: TestDatabase): Promise<Record<string, string>> {
  const rows = await database.query<{ oid: string; hash: string }>("select oid, md5(lo_get(oid)) as hash from pg_largeobject_metadata");
  return Object.fromEntries(rows.map((row) => [row.oid, row.hash]));
}

test.for([
  [10, 18],
  [18, 14],
] as const)("large objects arrive, of all sizes, and later only what differs (%i to %i)", async (majors) => {
  await using rig = await openRig({ majors, schema: "", tables: [], capture: false });
  await rig.source.query(`
    select lo_from_bytea(1000, ''), lo_from_bytea(1001, 'short'), lo_from_bytea(1002, convert_to(repeat('0123456789abcdef', 200000), 'UTF8'));
    select lo_create(4294967294), lo_put(4294967294, 5000000, 'far away');
    select lo_from_bytea(20000 + g, convert_to('object ' || g, 'UTF8')) from generate_series(1, 1500) g`);
  await rig.target.query("select lo_from_bytea(7, 'only here'), lo_from_bytea(1001, 'longer than it should be')");
  const sessions = await rig.sessions();
  const first = await carryLargeObjects({ ...sessions, signal, remove: true });
  expect(first).toMatchObject({ objects: 1504, changed: 1504, removed: 1 });
  expect(await contents(rig.target)).toEqual(await contents(rig.source));
  expect(await compareLargeObjects(sessions.source, sessions.target)).toEqual([]);

  await rig.source.query("select lo_put(1002, 2000000, 'XYZ'); select lo_unlink(20001), lo_from_bytea(30000, 'new')");
  expect(await compareLargeObjects(sessions.source, sessions.target)).toEqual([1002, 20001, 30000]);
  const second = await carryLargeObjects({ ...sessions, signal, remove: true });
  expect(second).toMatchObject({ objects: 1504, changed: 2, removed: 1 });
  expect(second.bytes).toBeLessThan(1_100_000);
  expect(await contents(rig.target)).toEqual(await contents(rig.source));
});

test("materialized views are filled after those that they read, through views and functions too; the unfilled stay so", async () => {
  const schema = `
    create table t (id int);
    create materialized view "z first" as select count(*) as n from t with no data;
    create view between_them as select n + 1 as n from "z first";
    create materialized view b_second as select n + 1 as n from between_them with no data;
    create function ask() returns bigint language plpgsql as 'begin return (select n from public.b_second); end';
    create materialized view a_third as select public.ask() as n with no data;
    create materialized view never as select 1 as one with no data;`;
  await using rig = await openRig({ majors: [12, 18], schema, tables: [], capture: false });
  await rig.source.query(
    'insert into t values (1), (2); refresh materialized view "z first"; refresh materialized view b_second; refresh materialized view a_third',
  );
  await rig.target.query("insert into t values (1), (2), (3)");
  const seen: string[] = [];
  const done = await refreshMaterializedViews({ ...(await rig.sessions()), signal, onView: (view) => seen.push(view.name) });
  expect(done).toBe(3);
  expect(
    await rig.target.one(
      'select (select n from "z first")::int as one, (select n from b_second)::int as two, (select n from a_third)::int as three',
    ),
  ).toEqual({
    one: 3,
    two: 5,
    three: 5,
  });
  expect(await rig.target.one("select relispopulated as filled from pg_class where relname = 'never'")).toEqual({ filled: false });
  expect(seen.indexOf("z first")).toBeLessThan(seen.lastIndexOf("b_second"));
});
