import { expect, test } from "vitest";
import { openRig } from "./rig.ts";

test.for([
  [10, 18],
  [18, 10],
] as const)("rows of 1599 columns cross from %i to %i", async ([from, to]) => {
  const columns = Array.from(
    { length: 1598 },
    (_, index) => `c${index} ${index % 3 === 0 ? "int" : index % 3 === 1 ? "bool" : "smallint"}`,
  );
  await using rig = await openRig({
    majors: [from, to],
    schema: `create table t (id int primary key, ${columns.join(", ")})`,
    tables: ["t"],
  });
  await rig.source.query(
    "insert into t (id, c0, c1, c2, c1596) values (1, 1, true, 2, 3), (2, null, null, null, null), (3, 3, false, 3, 3)",
  );
  await rig.source.query(`insert into t values (4, ${columns.map((column) => (column.endsWith("bool") ? "true" : "7")).join(", ")})`);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query("update t set c1596 = c1596 + 1, c0 = null; update t set id = 5 where id = 2; delete from t where id = 1");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("a table of 1600 columns, the most there is, is refused with advice when its keys change, and can be copied whole", async () => {
  const columns = Array.from({ length: 1599 }, (_, index) => `c${index} int`);
  await using rig = await openRig({
    majors: [15, 18],
    schema: `create table t (id int primary key, ${columns.join(", ")})`,
    tables: ["t"],
  });
  await rig.source.query("insert into t (id, c0, c1598) values (1, 1, 1), (2, 2, 2)");
  await expect(rig.run()).rejects.toMatchObject({
    code: "not-supported",
    details: { table: "public.t", advice: expect.stringContaining("onetimecopy=1") as string },
  });
  await rig.run({ onetimecopy: 1 });
  expect(await rig.differences()).toEqual([]);
});

test.for([
  ["text", "repeat('0123456789abcdef', $n / 16)"],
  ["bytea", "decode(repeat('00ff5c0a', $n / 4), 'hex')"],
] as const)("large values of %s stay whole whether they are changed or not", async ([type, large]) => {
  const value = (bytes: number) => large.replace("$n", String(bytes));
  await using rig = await openRig({
    majors: [12, 18],
    schema: `create table t (id int primary key, small int, a ${type}, b ${type}); alter table t alter b set storage external`,
    tables: ["t"],
  });
  await rig.source.query(`insert into t select i, i, ${value(100_000)}, ${value(50_000)} from generate_series(1, 20) i`);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query(
    `update t set small = small + 1; update t set a = ${value(200_000)} where id = 3; update t set b = null, id = 100 where id = 4`,
  );
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});
