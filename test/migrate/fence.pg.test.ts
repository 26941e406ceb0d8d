import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { armFence, closeFence, closeForGood, disarmFence, makePermanent, openFence, readFence } from "../../src/capture/fence.ts";
import { listWriters, waitForWriters } from "../../src/capture/fence-wait.ts";
import { uninstallCapture } from "../../src/capture/release.ts";
import { installCapture } from "../../src/capture/install.ts";
import { connect } from "../../src/postgres/connect.ts";
import { footprint } from "../harness/footprint.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { nameOf, openRig, openSession, type Rig } from "../replicate/rig.ts";
import { purgeSource } from "../hazards/steering.ts";

const schema = `
  create table t (id int primary key, v text);
  create table "Odd $function$
begin
" ("id
begin
" int primary key, v text);
  create table part (id int, at int, primary key (id, at)) partition by range (at);
  create table part_1 partition of part for values from (0) to (10);
  create table part_2 partition of part for values from (10) to (20);
  create table parent (id int primary key, v text);
  create table child (primary key (id)) inherits (parent);
  create table nokey (v text);
  insert into t values (1, 'one'), (2, 'two');
  insert into part values (1, 1);
  insert into parent values (1, 'one')`;
const odd = { schema: "public", name: "Odd $function$\nbegin\n" };
const tables = ["t", { table: odd, key: ["id\nbegin\n"] }, "part", "parent"];
const nokey = nameOf("nokey");

const functions = (rig: Rig) =>
  rig.source.query(
    "select proname, pg_get_functiondef(oid) as text, proacl::text, proowner from pg_proc where pronamespace = 'bucardo'::regnamespace order by 1",
  );

const writes = [
  "insert into t values (10, 'x')",
  "update t set v = 'x' where id = 1",
  "delete from t where id = 2",
  "truncate t",
  "insert into t values (1, 'y') on conflict (id) do update set v = 'y'",
  `insert into "${odd.name}" values (1, 'x')`,
  "insert into part values (2, 2)",
  "update part_1 set id = 5",
  "truncate part_2",
  "delete from parent",
  "insert into nokey values ('x')",
];

test.each([11, 12, 13, 18] as const)(
  "every kind of write is refused while the fence is closed, readers go on, and it opens by itself (%i)",
  async (major) => {
    await using rig = await openRig({ schema, tables, majors: [major, 18] });
    await using session = await openSession(rig.source, "source");
    const before = await functions(rig);

    await armFence(session, { sync: rig.syncId, uncaptured: [nokey], hint: "Connect to the new server." });
    expect(await readFence(session)).toEqual({ state: "armed", refuses: false, leftMs: null });
    await rig.source.query("insert into t values (3, 'three')");
    await closeFence(session, 60_000);
    expect(await readFence(session)).toMatchObject({ state: "armed", refuses: true });
    for (const write of writes) {
      await expect(rig.source.query(write), write).rejects.toMatchObject({ code: "BU001", hint: "Connect to the new server." });
    }
    expect(await rig.source.query("select id from t for update")).toHaveLength(3);
    await rig.source.query(
      "set session_replication_role = replica; update t set v = 'applied' where id = 3; reset session_replication_role",
    );

    await closeFence(session, 1);
    await waitFor(async () => (await readFence(session))?.refuses === false, { what: "the deadline" });
    for (const write of writes) await rig.source.query(`begin; ${write}; rollback`);
    await rig.source.query("insert into t values (4, 'four')");

    await disarmFence(session);
    expect(await functions(rig)).toEqual(before);
    expect(await readFence(session)).toEqual({ state: "open", refuses: false, leftMs: null });
    expect(await rig.source.query("select from pg_trigger where tgname = 'bucardo_fence'")).toEqual([]);
    await rig.run();
    expect(await rig.target.query("select id from t where id in (3, 4)")).toHaveLength(2);
  },
);

/** Armed and with one sync over t. */
async function armed(major: 10 | 15 | 18 = 15) {
  const rig = await openRig({
    schema: "create table t (id int primary key, v text); insert into t values (1, 'one'), (2, 'two')",
    tables: ["t"],
    majors: [major, 18],
  });
  const session = await openSession(rig.source, "source");
  await armFence(session, { sync: rig.syncId, hint: "" });
  const closed = {
    rig,
    session,
    own: [session.backendPid],
    [Symbol.asyncDispose]: () => session.close().then(() => rig[Symbol.asyncDispose]()),
  };
  return closed;
}

test("H21: who has an older snapshot, a prepared statement or an open transaction without writes is refused too", async () => {
  await using fenced = await armed();
  const { rig, session } = fenced;
  const repeatable = await rig.source.client();
  await repeatable.query("begin isolation level repeatable read; select * from t");
  const serializable = await rig.source.client();
  await serializable.query("begin isolation level serializable; select * from t");
  const prepared = await rig.source.client();
  await prepared.query("prepare w as update t set v = 'late'; execute w; execute w; execute w; execute w; execute w; execute w");
  await closeFence(session, 60_000);
  for (const client of [repeatable, serializable])
    await expect(client.query("insert into t values (7, 'late')")).rejects.toMatchObject({ code: "BU001" });
  await expect(prepared.query("execute w")).rejects.toMatchObject({ code: "BU001" });
  // The server tells a client of its error a moment before it lets go of the transaction's locks.
  await waitForWriters(session, { sync: rig.syncId, own: [], until: performance.now() + 5000 });
  expect(await listWriters(session, rig.syncId, [], [])).toEqual([]);
});

test("H21: transactions that wrote before the fence closed are waited for, prepared ones too, and named when they do not end", async () => {
  await using server = await startServer({ major: 15, settings: { max_prepared_transactions: 5 } });
  await using rig = await openRig({
    schema: "create table t (id int primary key, v text); insert into t values (1, 'one'), (2, 'two'), (3, 'three')",
    tables: ["t"],
    sourceServer: server,
  });
  await using session = await openSession(rig.source, "source");
  await armFence(session, { sync: rig.syncId, hint: "" });
  const open = await rig.source.client({ application_name: "shop" });
  await open.query("begin; update t set v = 'before' where id = 1");
  const none = await rig.source.client();
  await none.query("begin; update t set v = 'nothing' where false");
  await rig.source.query("begin; update t set v = 'two' where id = 2; prepare transaction 'p'");
  await closeFence(session, 60_000);
  const wait = (ms: number) => waitForWriters(session, { sync: rig.syncId, own: [], until: performance.now() + ms });

  await expect(wait(30)).rejects.toMatchObject({ code: "writers-left", message: expect.stringContaining("shop") });
  expect(await listWriters(session, rig.syncId, [], [])).toHaveLength(3);
  await none.query("commit");
  await expect(open.query("update t set v = 'more' where id = 1")).rejects.toMatchObject({ code: "BU001" });
  await open.query("rollback");
  await expect(wait(30)).rejects.toMatchObject({ message: expect.stringContaining("prepared transaction") });
  const done = wait(30_000);
  await rig.source.query("commit prepared 'p'");
  await done;
  await rig.run();
  expect(await rig.target.query("select v from t where id = 2")).toEqual([{ v: "two" }]);
});

test("a transaction that is prepared while we wait is not lost sight of", async () => {
  await using server = await startServer({ major: 15, settings: { max_prepared_transactions: 5 } });
  await using rig = await openRig({
    schema: "create table t (id int primary key, v text); insert into t values (1, 'one')",
    tables: ["t"],
    sourceServer: server,
  });
  await using session = await openSession(rig.source, "source");
  await armFence(session, { sync: rig.syncId, hint: "" });
  const open = await rig.source.client();
  await open.query("begin; update t set v = 'before'");
  await closeFence(session, 60_000);
  let done = false;
  const waiting = waitForWriters(session, { sync: rig.syncId, own: [], until: performance.now() + 30_000 }).then(() => (done = true));
  await open.query("prepare transaction 'p'");
  await rig.source.query("select pg_sleep(0.2)");
  expect(done).toBe(false);
  await rig.source.query("commit prepared 'p'");
  await waiting;
});

test("for good: not when the time has run out, and then the source is open; otherwise until somebody opens it", async () => {
  await using fenced = await armed(10);
  const { rig, session } = fenced;
  await closeFence(session, 1);
  await waitFor(async () => (await readFence(session))?.refuses === false, { what: "the deadline" });
  await expect(makePermanent(session)).rejects.toMatchObject({ code: "fence-expired" });
  await rig.source.query("update t set v = 'open'");
  await closeFence(session, 60_000);
  await makePermanent(session);
  expect(await readFence(session)).toEqual({ state: "closed", refuses: true, leftMs: null });
  await expect(closeFence(session, 1)).rejects.toMatchObject({ code: "in-use" });
  await expect(rig.source.query("update t set v = 'late'")).rejects.toMatchObject({ code: "BU001" });
  await openFence(session);
  await rig.source.query("update t set v = 'open again'");
});

test("H11: an armed or closed source keeps its functions, whatever housekeeping does", async () => {
  await using fenced = await armed();
  const { rig, session } = fenced;
  await rig.source.query("update t set v = 'x'");
  expect(await purgeSource(rig)).toMatchObject({ rotated: 0 });
  await closeForGood(session);
  expect(await purgeSource(rig)).toMatchObject({ rotated: 0 });
  await expect(rig.source.query("update t set v = 'late'")).rejects.toMatchObject({ code: "BU001" });
  await disarmFence(session);
  await rig.source.query("update t set v = 'open'");
  expect(await purgeSource(rig)).toMatchObject({ rotated: 1 });
});

test("the fence survives a crash of the server", async () => {
  await using server = await startServer({ major: 18 });
  await using rig = await openRig({ schema: "create table t (id int primary key)", tables: ["t"], sourceServer: server });
  await using session = await openSession(rig.source, "source");
  await armFence(session, { sync: rig.syncId, hint: "" });
  await closeFence(session, 60_000);
  await makePermanent(session);
  await server.crash();
  await server.start();
  await expect(rig.source.query("insert into t values (1)")).rejects.toMatchObject({ code: "BU001" });
});

test("a role without any right on schema bucardo is refused with the same words, and its writes are captured before", async () => {
  await using server = await startServer({ major: 15 });
  await using rig = await openRig({ schema: "create table t (id int primary key)", tables: ["t"], sourceServer: server });
  await using session = await openSession(rig.source, "source");
  await rig.source.query("create role app login; grant insert on t to app");
  const app = await rig.source.client({ user: "app" });
  await armFence(session, { sync: rig.syncId, hint: "soon" });
  await app.query("insert into t values (1)");
  await closeFence(session, 60_000);
  await expect(app.query("insert into t values (2)")).rejects.toMatchObject({ code: "BU001", hint: "soon" });
  await openFence(session);
  await app.query("insert into t values (2)");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("a role that is no superuser can fence what it captures; uninstalling takes an armed fence along", async () => {
  await using server = await startServer({ major: 15 });
  await using rig = await openRig({ schema: "select", tables: [], sourceServer: server, capture: false });
  await rig.source.query(
    `create role owner login; grant create on database "${rig.source.name}" to owner; grant all on schema public to owner`,
  );
  await rig.source.query("set role owner; create table t (id int primary key); create table u (id int); reset role");
  const before = await footprint(rig.source);
  await using session = await connect({ name: "source", ...rig.source.connection, dbname: rig.source.name, user: "owner" });
  const sync = { id: randomUUID(), name: "s" };
  await installCapture(session, {
    sync,
    installation: randomUUID(),
    targets: ["target"],
    relations: [{ kind: "table", name: nameOf("t"), key: ["id"], autokick: false }],
  });
  await armFence(session, { sync: sync.id, uncaptured: [nameOf("u")], hint: "" });
  await closeFence(session, 60_000);
  await expect(rig.source.query("insert into t values (1)")).rejects.toMatchObject({ code: "BU001" });
  await expect(rig.source.query("insert into u values (1)")).rejects.toMatchObject({ code: "BU001" });
  await disarmFence(session);
  await armFence(session, { sync: sync.id, uncaptured: [nameOf("u")], hint: "" });
  await uninstallCapture(session);
  expect(await footprint(rig.source)).toEqual(before);
});
