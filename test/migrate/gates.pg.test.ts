import { expect, test } from "vitest";
import { cutover, type CutoverReport } from "../../src/migrate/cutover.ts";
import { startServer } from "../harness/server.ts";
import { openRig } from "../replicate/rig.ts";
import { contextOf, describe } from "./rig.ts";

const closed = ({ gates }: CutoverReport): string[] => gates.filter(({ state }) => state === "blocked").map(({ name }) => name);

test("whatever stands in the way is found before anything begins, all at once, and everything is as before", async () => {
  await using server = await startServer({ major: 15, settings: { max_prepared_transactions: 3 } });
  await using target = await startServer({ major: 18 });
  await using rig = await openRig({
    schema: "create table t (id int primary key, v text); create table other (id int primary key); create sequence s maxvalue 110",
    tables: ["t", "other"],
    sequences: ["s"],
    sourceServer: server,
    targetServer: target,
  });
  await rig.source.query("insert into t select i from generate_series(1, 10) i; select nextval('s') from generate_series(1, 50)");
  await rig.run();

  await rig.source.query(
    "create table late (id int primary key); create role etl; alter role etl set session_replication_role = replica; select lo_create(0)",
  );
  const writer = await rig.source.client();
  await writer.query("begin; update t set v = 'open' where id = 1; select pg_sleep(2.1)");
  await rig.source.query("begin; insert into other values (1); prepare transaction 'p'");
  const ddl = await rig.source.client();
  await ddl.query("begin; lock table late in share mode");
  await rig.target.query("alter table t drop column v");
  await rig.target.query(`alter database "${rig.target.name}" set default_transaction_read_only = on`);
  const report = await cutover(contextOf(rig, { budgetMs: 4000 }));
  expect(report.outcome, describe(report)).toBe("refused");
  expect(closed(report)).toEqual([
    "schema",
    "new-tables",
    "ddl",
    "long-transactions",
    "prepared-transactions",
    "large-objects",
    "other-writers",
    "read-only",
  ]);
  expect(report.gates.find(({ name }) => name === "sequences")).toMatchObject({ state: "warn", why: expect.stringContaining("public.s") });
  await writer.query("commit");
  await rig.source.query("update t set v = 'as before' where id = 2");
  expect(await rig.target.query("select from pg_namespace where nspname = 'bucardo'")).toEqual([]);
});

test("a subscription that writes to the old side is no hindrance of ours, and stops the cutover all the same", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key)", tables: ["t"] });
  await rig.source.query("create subscription elsewhere connection 'dbname=nowhere' publication p with (connect = false)");
  await rig.source.query("alter subscription elsewhere set (slot_name = none)");
  await rig.source.query("set allow_system_table_mods = on; update pg_subscription set subenabled = true where subname = 'elsewhere'");
  const report = await cutover(contextOf(rig));
  await rig.source.query(
    "set allow_system_table_mods = on; update pg_subscription set subenabled = false where subname = 'elsewhere'; drop subscription elsewhere",
  );
  expect(closed(report)).toEqual(["other-writers"]);
});
