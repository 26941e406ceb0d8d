import { expect, test } from "vitest";
import { inspectCapture } from "../../src/capture/inspect.ts";
import { releaseSync } from "../../src/capture/release.ts";
import { connect } from "../../src/postgres/connect.ts";
import { at, runApart, validate } from "../hazards/steering.ts";
import { openRig, openSession } from "../replicate/rig.ts";

test("a run that was overtaken by the removal and return of its target changes nothing there", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text)", tables: ["t"] });
  await rig.source.query("insert into t values (1, 'old')");
  using _steps = at("replicate.table-applied", async () => {
    await using session = await openSession(rig.source, "source");
    await rig.source.query("create table keep (id int primary key)");
    await releaseSync(session, rig.syncId, { target: "target" });
    await rig.capture();
  });
  await expect(runApart(rig)).rejects.toMatchObject({ code: "run-void" });
  expect(await rig.target.query("select from t")).toEqual([]);
});

test("a table that was dropped and made again leaves nothing of its first life", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text)", tables: ["t"] });
  await rig.source.query("insert into t values (1, 'first')");
  await rig.run();
  await using session = await openSession(rig.source, "source");
  const objects = async (): Promise<number> => (await inspectCapture(session)).length;
  const before = await objects();
  await rig.source.query("drop table t; create table t (id int primary key, v text); insert into t values (2, 'second')");
  await validate(rig);
  expect(await objects()).toBe(before);
});

test("a partition whose DETACH CONCURRENTLY was broken off is no part of the table any more", async () => {
  const schema =
    "create table t (id int primary key, v text) partition by range (id); create table p1 partition of t for values from (0) to (100); create table p2 partition of t for values from (100) to (200)";
  await using rig = await openRig({ schema, tables: ["t"] });
  await rig.source.query("insert into t select i, 'x' from generate_series(50, 149) i");
  await rig.run();
  const reader = await rig.source.client();
  await reader.query("begin; select from t");
  const detacher = await rig.source.client();
  await detacher.query("set statement_timeout = '300ms'");
  await detacher.query("alter table t detach partition p1 concurrently").catch(() => undefined);
  await reader.query("commit");
  expect(await rig.source.one("select inhdetachpending as pending from pg_inherits where inhrelid = 'p1'::regclass")).toEqual({
    pending: true,
  });
  await rig.source.query("update t set v = 'y' where id in (51, 101)");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query("alter table t detach partition p1 finalize");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("a server notices within a minute that the machine of a run is gone, and frees its snapshot and locks", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key)", tables: ["t"] });
  const { port, user, database } = rig.source.connection;
  await using session = await connect({ name: "source", host: "127.0.0.1", port, user, dbname: database });
  const [row] = await session.query<{ seconds: number }>({
    name: "test",
    text: "select current_setting('tcp_keepalives_idle')::int + current_setting('tcp_keepalives_interval')::int * current_setting('tcp_keepalives_count')::int as seconds",
  });
  expect(row!.seconds).toBeLessThanOrEqual(60);
  expect(row!.seconds).toBeGreaterThan(0);
});
