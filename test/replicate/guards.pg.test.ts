// What single guards of the engine are for, where no other file defines it: take one away, and a test here turns red.
import { expect, test } from "vitest";
import type { Statement } from "../../src/postgres/sql.ts";
import { onPoint } from "../../src/base/point.ts";
import { countDeltas } from "../../src/capture/pending.ts";
import { purge } from "../../src/capture/purge.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, openSession, type Rig } from "./rig.ts";

const schema = "create table t (id int primary key, v text)";

async function filled(): Promise<Rig> {
  const rig = await openRig({ schema, tables: ["t"] });
  await rig.source.query("insert into t select i, 'first' from generate_series(1, 20) i");
  await rig.run();
  return rig;
}

/** Lets another generation take over, and empties what may be emptied. */
async function purgeAll(source: TestDatabase): Promise<void> {
  await using session = await openSession(source, "source");
  await purge(session, { rotateBytes: 1 });
  await purge(session, { rotateBytes: 1 });
  await purge(session, { rotateBytes: 1 });
}

test("what the target shows is durable on the source, though the source commits asynchronously (hazard 1)", async () => {
  await using server = await startServer({
    major: 15,
    settings: { synchronous_commit: "off", wal_writer_delay: "10s", bgwriter_delay: "10s" },
  });
  const source = await createDatabase(server);
  await source.query(schema);
  await source.query("checkpoint");
  await using rig = await openRig({ schema: "select", targetSchema: schema, tables: [], capture: false });
  await using hand = await other(rig, source);
  await hand.capture();
  await source.query("insert into t values (1, 'asynchronous')");
  using _standing = onPoint(async (point) => {
    if (point === "replicate.target-committed") await server.crash();
  });
  await expect(hand.run()).rejects.toThrow();
  expect(await rig.target.query("select id from t")).toEqual([{ id: 1 }]);
  await server.start();
  await source.closeClients();
  expect(await source.query("select id from t")).toEqual([{ id: 1 }]);
});

/** A rig over another source, and the same target. */
async function other(rig: Rig, source: TestDatabase): Promise<Rig> {
  const { Rig: Made } = await import("./rig.ts");
  return new Made(source, rig.target, { schema: "", tables: ["t"] });
}

test("a generation stays until every target has passed it, also one that has never been run", async () => {
  await using rig = await filled();
  await rig.capture(["target", "a later one"]);
  await rig.source.query("update t set v = 'second' where id <= 3");
  await rig.run();
  await purgeAll(rig.source);
  await rig.source.query("update t set v = 'third' where id = 4");
  await rig.run();
  await purgeAll(rig.source);
  await using session = await openSession(rig.source, "source");
  expect(await countDeltas(session)).toMatchObject([{ target: "a later one", deltas: 4 }]);
});

test("a transaction that was open at a checkpoint keeps its generation, however far the checkpoint is", async () => {
  await using rig = await filled();
  const long = await rig.source.client();
  await long.query("begin; update t set v = 'long' where id = 1");
  for (let step = 0; step < 3; step++) {
    await rig.source.query("update t set v = $1 where id = 2", [`step ${step}`]);
    await rig.run();
    await purgeAll(rig.source);
  }
  await long.query("commit");
  await purgeAll(rig.source);
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("no change falls between the snapshot of a new target and the deltas that are kept for it (hazard 15)", async () => {
  await using rig = await filled();
  const writer = await rig.source.client();
  await writer.query("begin; update t set v = 'between' where id = 1");
  const { rows } = await writer.query<{ xid: string }>("select txid_current()::text as xid");
  // the last moment before the registration: what was open ends, is delivered to everybody known, and purged
  using _standing = onPoint(async (point) => {
    if (point !== "capture.schema-installed") return;
    await writer.query("commit");
    await rig.run();
    await purgeAll(rig.source);
  });
  await rig.capture(["target", "new"]);
  await using session = await openSession(rig.source, "source");
  const kept = (await countDeltas(session)).some(({ target }) => target === "new");
  const { seen } = await rig.source.one<{ seen: boolean }>(
    "select txid_visible_in_snapshot($1, snapshot::txid_snapshot) as seen from bucardo.checkpoint where target = 'new'",
    [rows[0]!.xid],
  );
  expect(seen || kept).toBe(true);
});

test("a writer that began before a rotation is read, wherever its deltas go", async () => {
  await using rig = await filled();
  const long = await rig.source.client();
  await long.query("begin; update t set v = 'before' where id = 1");
  await purgeAll(rig.source);
  await long.query("update t set v = 'after' where id = 2; commit");
  await rig.source.query("update t set v = 'short' where id = 3");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 3 }]);
  expect(await rig.differences()).toEqual([]);
});

test("a delta that comes between a purge's look and its TRUNCATE is not lost", async () => {
  await using rig = await filled();
  await using session = await openSession(rig.source, "source");
  await purge(session, { rotateBytes: 1 });
  const late = await rig.source.client();
  const { rows } = await late
    .query<{ pid: number }>("set session_replication_role = replica; select pg_backend_pid() as pid")
    .then((both) => (both as unknown as { rows: { pid: number }[] }[])[1]!);
  let writing: Promise<unknown> = Promise.resolve();
  const one = session.one.bind(session);
  session.one = async <Row extends object>(statement: Statement): Promise<Row> => {
    const answer = await one<Row>(statement);
    if (statement.name !== "capture.is-needed") return answer;
    // as the trigger function of before the rotation does, in a writer that is late
    writing = late.query("begin; update t set v = 'late' where id = 1; insert into bucardo.delta_1_1 values (txid_current(), 1); commit");
    let written = false;
    void writing.then(() => (written = true));
    const waits = "select from pg_locks where pid = $1 and not granted";
    await waitFor(async () => written || (await rig.source.query(waits, [rows[0]!.pid])).length > 0, {
      what: "the late writer to write or to wait",
    });
    return answer;
  };
  expect(await purge(session, { rotateBytes: 1_000_000 })).toMatchObject({ emptied: 1 });
  await writing;
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("a TRUNCATE that some target has not seen is not forgotten by purging", async () => {
  await using rig = await filled();
  await rig.source.query("truncate t");
  await purgeAll(rig.source);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("a source that counts fewer settled runs than the control database remembers went back in time", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = 'second'");
  rig.remembered = 99;
  await expect(rig.run()).rejects.toMatchObject({ code: "source-changed" });
  expect(await rig.target.one("select count(*)::int as rows from t where v = 'second'")).toEqual({ rows: 0 });
});

test("a target that lost the last run's transaction is noticed (hazard 6)", async () => {
  await using rig = await filled();
  await rig.dropSessions();
  // as after a restore: the server has not yet come to the transaction that the checkpoint names
  await rig.source.query("update bucardo.checkpoint set target_xid = target_xid + 1000000");
  await rig.source.query("update t set v = 'second'");
  await expect(rig.run()).rejects.toMatchObject({ code: "target-changed" });
});

test("a source whose transaction ids are behind the checkpoint went back in time", async () => {
  await using rig = await filled();
  await rig.source.query(
    "update bucardo.checkpoint set snapshot = format('%s:%s:', x, x) from (select txid_snapshot_xmax(txid_current_snapshot()) + 1000000 as x) y",
  );
  await expect(rig.run()).rejects.toMatchObject({ code: "source-changed" });
});

test("parent and child of inheritance are two tables: rows of the child never become rows of the parent", async () => {
  const tables = "create table parent (id int primary key, v text); create table child (primary key (id)) inherits (parent)";
  await using rig = await openRig({ schema: tables, tables: ["parent", "child"] });
  const own = async () => [
    await rig.target.query("select id, v from only parent order by id"),
    await rig.target.query("select id, v from only child order by id"),
  ];
  await rig.source.query("insert into parent values (1, 'p'), (2, 'p'); insert into child values (2, 'c'), (3, 'c')");
  await rig.run();
  await rig.source.query("update parent set v = 'by parent'; delete from only parent where id = 2; delete from only child where id = 3");
  await rig.run();
  expect(await own()).toEqual([[{ id: 1, v: "by parent" }], [{ id: 2, v: "by parent" }]]);
  await rig.source.query("delete from parent where id = 2; insert into child values (1, 'c')");
  await rig.run();
  expect(await own()).toEqual([[{ id: 1, v: "by parent" }], [{ id: 1, v: "c" }]]);
  await rig.source.query("update parent set id = id + 10");
  await rig.run();
  expect(await own()).toEqual([[{ id: 11, v: "by parent" }], [{ id: 11, v: "c" }]]);
  await rig.source.query("truncate only parent; insert into parent values (5, 'new')");
  await rig.run();
  expect(await own()).toEqual([[{ id: 5, v: "new" }], [{ id: 11, v: "c" }]]);
});

test("equal is not the same: a key whose image alone changes is followed", async () => {
  const tables = "create extension citext; create table n (id numeric primary key, v text); create table c (id citext primary key, v text)";
  await using rig = await openRig({ schema: tables, tables: ["n", "c"] });
  await rig.source.query("insert into n values (1, 'x'); insert into c values ('a', 'x')");
  await rig.run();
  await rig.source.query("update n set id = 1.00; update c set id = 'A'");
  await rig.run();
  expect(await rig.target.query("select n.id::text as n, c.id::text as c from n, c")).toEqual([{ n: "1.00", c: "A" }]);
});

test("foreign keys of the target do not answer to what the run does to a parent (hazard 9)", async () => {
  const tables =
    "create table parent (id int primary key, u int unique); create table child (id int primary key, parent int references parent on delete cascade)";
  await using rig = await openRig({ schema: tables, tables: ["parent", "child"] });
  await rig.source.query("insert into parent values (1, 1), (2, 2); insert into child values (1, 1), (2, 2)");
  await rig.run();
  // swapped: the parents are deleted and inserted, the children have no delta
  await rig.source.query("update parent set u = null; update parent set u = 3 - id");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  expect(await rig.target.one("select count(*)::int as rows from child")).toEqual({ rows: 2 });
});
