// Defects that the property tests of test/property found, reduced.
import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { openRig } from "./rig.ts";

test("onetimecopy=2: a TRUNCATE after the snapshot does not make a table look as if there were nothing to copy", async () => {
  const schema = "create table t (id int primary key); create table u (id int primary key)";
  await using rig = await openRig({ schema, tables: ["t", "u"], capture: false });
  await rig.source.query("insert into t values (1); insert into u values (1)");
  await rig.capture();
  let times = 0;
  using _standing = onPoint(async (point) => {
    if (point === "replicate.snapshot-taken" && ++times === 1) await rig.source.query("truncate u; insert into u values (2)");
  });
  await rig.run({ onetimecopy: 2 });
  // not (1, nothing), which was never so on the source
  expect(await rig.target.query("select t.id as t, u.id as u from t full join u on true")).toEqual([{ t: 1, u: 2 }]);
});

test("onetimecopy=2: a parent whose children have rows on the target is empty all the same", async () => {
  const schema = "create table parent (id int primary key); create table child (primary key (id)) inherits (parent)";
  await using rig = await openRig({ schema, tables: ["parent", "child"], capture: false });
  await rig.source.query("insert into parent values (1); insert into child values (2)");
  await rig.target.query("insert into child values (2)");
  await rig.capture();
  await rig.run({ onetimecopy: 2 });
  expect(await rig.target.query("select id from only parent union all select id from only child order by id")).toEqual([
    { id: 1 },
    { id: 2 },
  ]);
});
