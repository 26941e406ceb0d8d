import { expect, test } from "vitest";
import { openRig } from "./rig.ts";

test("a sync of two thousand tables and sequences: all changed at once, then a few", async () => {
  const numbers = Array.from({ length: 2000 }, (_, index) => index);
  await using rig = await openRig({
    majors: [18, 18],
    schema: numbers.map((n) => `create table t${n} (id serial primary key, v text)`).join("; "),
    tables: numbers.map((n) => `t${n}`),
    sequences: numbers.map((n) => `t${n}_id_seq`),
  });
  await rig.source.query(numbers.map((n) => `insert into t${n} (v) values ('${n}')`).join("; "));
  expect((await rig.run()).tables).toHaveLength(numbers.length);
  await rig.source.query("update t7 set v = 'changed'; delete from t1999; truncate t1000");
  expect((await rig.run()).tables).toHaveLength(3);
  expect((await rig.run()).outcome).toBe("empty");
  expect(await rig.differences()).toEqual([]);
});
