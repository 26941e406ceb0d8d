import { expect, test } from "vitest";
import { openRig } from "../replicate/rig.ts";
import { switchOver } from "./rig.ts";
import { follow, makeTrips } from "./trips.ts";

test("the old side follows the new one from its first write on, although it is closed to everybody else", async () => {
  await using rig = await openRig({
    schema: "create table t (id int primary key, v text); create sequence s",
    tables: ["t"],
    sequences: ["s"],
  });
  await rig.source.query("insert into t select i, 'old' from generate_series(1, 20) i");
  await switchOver(rig);
  await rig.target.query(
    "insert into t values (21, 'new'); update t set v = 'changed' where id = 1; delete from t where id = 2; select nextval('s')",
  );
  await follow(rig, true);
  expect(await rig.differences()).toEqual([]);
  expect(await rig.source.one("select last_value::int as n, is_called as c from s")).toEqual(
    await rig.target.one("select last_value::int as n, is_called as c from s"),
  );
  await expect(rig.source.query("delete from t")).rejects.toMatchObject({ code: "BU001" });
});

test("three times there and back while clients write: nothing differs, nothing is lost, no number is given out twice", async () => {
  const { rig, wanderers } = await makeTrips(3);
  await using _ = rig;
  expect(wanderers.twice).toEqual([]);
  for (const side of [rig.source, rig.target]) {
    if (side === rig.target) await follow(rig, false);
    expect(await side.query("select count(*)::int as n from journal group by writer order by writer")).toEqual(
      wanderers.commits.map((n) => ({ n })),
    );
    expect(await side.query("select n from total order by id")).toEqual(wanderers.commits.map((n) => ({ n })));
  }
  expect(await rig.differences()).toEqual([]);
});

test("without a way back nothing of ours is put on the new side", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key)", tables: ["t"] });
  await rig.source.query("insert into t values (1)");
  await switchOver(rig, { wayBack: false });
  expect(await rig.target.query("select from pg_namespace where nspname = 'bucardo'")).toEqual([]);
  await rig.target.query("insert into t values (2)");
  await expect(rig.source.query("insert into t values (2)")).rejects.toMatchObject({ code: "BU001" });
});
