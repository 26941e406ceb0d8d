import { expect, test } from "vitest";
import { installCapture } from "../../src/capture/install.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, openSession } from "../replicate/rig.ts";
import { at, purgeSource } from "./steering.ts";

const schema = "create table t (id int primary key, v text); create table u (id int primary key, v text)";

test("a transaction that took its snapshot before the triggers and writes after them is captured", async () => {
  await using rig = await openRig({ schema, tables: ["t"], capture: false });
  const early = await rig.source.client();
  const numbered = await rig.source.client();
  await early.query("begin isolation level repeatable read; select count(*) from t");
  await numbered.query("begin; insert into u values (1, 'has a number')");
  await rig.capture();
  await rig.source.query("insert into t values (1, 'x')");
  await rig.run();
  await early.query("insert into t values (2, 'early'); commit");
  await numbered.query("insert into t values (3, 'numbered'); commit");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 2 }]);
  expect(await rig.differences()).toEqual([]);
});

test("rows of a COPY that is going on when capture begins are in the checkpoint's snapshot or captured, never neither", async () => {
  await using rig = await openRig({ schema, tables: ["t"], capture: false });
  const writer = await rig.source.client();
  await writer.query("begin; insert into t values (1, 'before')");
  const waits: string[] = [];
  await using session = await openSession(rig.source, "source");
  const installing = installCapture(session, {
    sync: { id: rig.syncId, name: "rig" },
    installation: rig.installation,
    targets: ["target"],
    relations: [{ kind: "table", name: { schema: "public", name: "t" }, key: ["id"], autokick: false }],
    lockTimeoutMs: 100,
    attempts: 50,
    onBlocked: (message) => void waits.push(message),
  });
  await waitFor(() => waits.length > 0, { what: "capture to wait for the writer" });
  expect(waits[0]).toMatch(/locked by pid \d+/);
  await writer.query("insert into t values (2, 'while it waits'); commit");
  await installing;
  await rig.source.query("insert into t values (3, 'after')");
  const { snapshot, id } = await rig.source.one<{ snapshot: string; id: number }>(
    "select snapshot, id from bucardo.checkpoint, bucardo.captured_table",
  );
  const rows = await rig.source.query<{ id: number; known: boolean; captured: boolean }>(
    `select id, txid_visible_in_snapshot(t.xmin::text::bigint, $1::txid_snapshot) as known, exists (select from bucardo.delta_${id}_1 d where d.k1 = t.id) as captured from t order by id`,
    [snapshot],
  );
  expect(rows).toEqual([
    { id: 1, known: true, captured: false },
    { id: 2, known: true, captured: false },
    { id: 3, known: false, captured: true },
  ]);
});

test("H27: capture never holds one table while it waits for another, so no writer waits behind it or in a circle", async () => {
  await using rig = await openRig({ schema, tables: ["t", "u"], capture: false });
  const writer = await rig.source.client();
  await writer.query("begin; insert into u values (1, 'holds u')");
  const waits: string[] = [];
  await using session = await openSession(rig.source, "source");
  const installing = installCapture(session, {
    sync: { id: rig.syncId, name: "rig" },
    installation: rig.installation,
    targets: ["target"],
    relations: ["t", "u"].map((name) => ({ kind: "table" as const, name: { schema: "public", name }, key: ["id"], autokick: false })),
    lockTimeoutMs: 1000,
    attempts: 50,
    onBlocked: (message) => void waits.push(message),
  });
  await waitFor(() => waits.length > 0, { what: "capture to wait for u" });
  await writer.query("set lock_timeout = '3s'; insert into t values (1, 'needs t')");
  await rig.source.query("set lock_timeout = '3s'; insert into u values (2, 'another'); reset lock_timeout");
  await writer.query("commit");
  await installing;
});

test("H28: a renamed key column stops the writers with a clear error, not the data; validate mends it and the table is copied", async () => {
  await using rig = await openRig({ schema, tables: ["t"] });
  await rig.source.query("insert into t values (1, 'a')");
  await rig.run();
  for (const side of [rig.source, rig.target]) await side.query("alter table t rename id to key");
  await expect(rig.source.query("update t set v = 'b'")).rejects.toMatchObject({ code: "42703" });
  await expect(rig.run()).rejects.toMatchObject({ code: "schema-mismatch" });
  await using session = await openSession(rig.source, "source");
  await installCapture(session, {
    sync: { id: rig.syncId, name: "rig" },
    installation: rig.installation,
    targets: ["target"],
    relations: [{ kind: "table", name: { schema: "public", name: "t" }, key: ["key"], autokick: false }],
  });
  await rig.source.query("update t set v = 'b'");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("H16: nobody can use the trigger functions for himself, and they can do nothing but add deltas", async () => {
  await using rig = await openRig({ schema: `${schema}; create type odd as (x int)`, tables: ["t"], autokick: true });
  const name = `mallory_${rig.source.name}`;
  await rig.source.query(
    `create role ${name} login; grant all on schema public to ${name}; grant select, insert, update, delete, truncate on t to ${name}`,
  );
  const mallory = await rig.source.client({ user: name });
  // a table of his own with a key that is cast by code of his own
  await mallory.query("create table mine (id int primary key)");
  for (const event of ["insert", "update", "delete", "truncate", "key"]) {
    await expect(
      mallory.query(`create trigger x after insert on mine for each row execute procedure bucardo.capture_1_${event}()`),
    ).rejects.toMatchObject({ code: "42501" });
  }
  await expect(mallory.query("insert into bucardo.delta_1_1 values (1, 1)")).rejects.toMatchObject({ code: "42501" });
  // as a writer he is captured, whatever he puts in the functions' way
  await mallory.query(`
    set search_path = mischief, pg_temp, public; create temp table "_bucardo_new" (id int); create temp table delta_1_1 (xid bigint, k1 int);
    create function pg_temp.txid_current() returns bigint language sql as 'select 1::bigint'`);
  await mallory.query(
    "insert into public.t values (1, 'm'), (2, 'm'); update public.t set id = 3 where id = 2; delete from public.t where id = 1; truncate public.t; insert into public.t values (4, 'm')",
  );
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  const functions = await rig.source.query<{ owner: string; definer: boolean; open: boolean }>(
    `select pg_get_userbyid(proowner) as owner, prosecdef as definer, has_function_privilege($1, oid, 'execute') as open
       from pg_proc where pronamespace = 'bucardo'::regnamespace and proname like 'capture%'`,
    [name],
  );
  expect(functions).toHaveLength(5);
  for (const each of functions) expect(each).toEqual({ owner: "bucardo_capture", definer: true, open: false });
  expect(
    await rig.source.query(
      "select rolsuper, rolcanlogin, rolcreaterole, rolreplication, rolbypassrls from pg_roles where rolname = 'bucardo_capture'",
    ),
  ).toEqual([{ rolsuper: false, rolcanlogin: false, rolcreaterole: false, rolreplication: false, rolbypassrls: false }]);
  // nor after a rotation, which makes the functions anew
  await purgeSource(rig);
  expect(
    await rig.source.one(
      "select bool_or(has_function_privilege($1, oid, 'execute')) as open, count(*)::int as functions from pg_proc where pronamespace = 'bucardo'::regnamespace and proname like 'capture%' and pg_get_userbyid(proowner) = 'bucardo_capture'",
      [name],
    ),
  ).toEqual({ open: false, functions: 5 });
  await mallory.query("insert into public.t values (5, 'm')");
  await mallory.end();
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query(`drop owned by ${name}; drop role ${name}`);
});

/** Settings that somebody may have given a database or a role, all legal and all in the way. */
const hostile: Record<string, string> = {
  statement_timeout: "900",
  lock_timeout: "1",
  idle_in_transaction_session_timeout: "900",
  default_transaction_isolation: "serializable",
  default_transaction_read_only: "on",
  default_transaction_deferrable: "on",
  DateStyle: "German",
  IntervalStyle: "sql_standard",
  TimeZone: "Asia/Kathmandu",
  extra_float_digits: "-15",
  bytea_output: "escape",
  xmloption: "document",
  standard_conforming_strings: "off",
  search_path: "mischief, public",
  row_security: "on",
  synchronous_commit: "off",
  client_encoding: "LATIN1",
  session_replication_role: "replica",
  "plpgsql.variable_conflict": "error",
  transform_null_equals: "on",
  lc_monetary: "C",
  enable_seqscan: "off",
};

/** What the other side was given, so that one does not understand the other by chance. */
const hostileThere: Record<string, string> = { ...hostile, DateStyle: "SQL, MDY", IntervalStyle: "iso_8601", TimeZone: "America/Caracas" };

test.for([
  [10, 18],
  [18, 15],
] as const)("H35: settings of databases and roles of %i and %i change nothing", async ([from, to]) => {
  const values =
    "i int, f float8, r real, d date, ts timestamptz, iv interval, b bytea, x xml, t text, m money, ti time with time zone, a text[]";
  await using rig = await openRig({
    majors: [from, to],
    schema: `create table t (id int primary key, ${values})`,
    tables: ["t"],
    capture: false,
  });
  for (const side of [rig.source, rig.target]) {
    for (const [name, value] of Object.entries(side === rig.source ? hostile : hostileThere))
      await side.query(`alter database "${side.name}" set ${name} = ${name === "search_path" ? value : `'${value}'`}`);
    if (side.server.major >= 14) await side.query(`alter database "${side.name}" set idle_session_timeout = '900'`);
    if (side.server.major >= 17) await side.query(`alter database "${side.name}" set transaction_timeout = '900'`);
    await side.query(
      "create schema mischief; create function mischief.txid_current() returns bigint language sql as 'select 1::bigint'; create function mischief.odd(int, int) returns boolean language sql as 'select true'; create operator mischief.= (procedure = mischief.odd, leftarg = int, rightarg = int)",
    );
  }
  await rig.capture();
  for (const session of Object.values(await rig.sessions())) {
    const limits = await session.query<{ name: string; setting: string }>({
      name: "x",
      text: "select name, setting from pg_settings where name ~ '_timeout$' and context = 'user' and name !~ '^(tcp|wal)'",
    });
    expect(limits.filter(({ setting }) => setting !== "0")).toEqual([]);
  }
  await rig.source.query(
    `insert into t select n, n, n / 7.0, n / 7.0, date '2024-02-01' + n, timestamptz '2024-03-31 01:30:00+00' + n * interval '1 day', make_interval(0, n, 0, -n, n), decode(lpad(to_hex(n), 4, '0'), 'hex') || '\\x5c00'::bytea,
       ('<a>' || n || '</a>b')::xml, E'\\\\ ü ' || n, n::text::money, '12:00:00+05:45', array['a"b', null, E'c\\\\d'] from generate_series(1, 30) n`,
  );
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query("update t set id = id + 100, f = f / 3 where id % 2 = 0; delete from t where id = 1");
  await purgeSource(rig);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  expect((await rig.target.one<{ rows: number }>("select count(*)::int as rows from t")).rows).toBe(29);
});

test("H35: a writer's own settings do not blind the trigger functions", async () => {
  await using rig = await openRig({ schema, tables: ["t", "u"], autokick: true });
  const writer = await rig.source.client();
  await writer.query(
    "set search_path = ''; set standard_conforming_strings = off; set default_transaction_isolation = 'serializable'; set row_security = off; set check_function_bodies = off; set plpgsql.extra_errors = 'all'",
  );
  await writer.query("insert into public.t values (1, 'a'), (2, 'b')");
  await writer.query(
    "update public.t set id = 3, v = 'c' where id = 1; delete from public.t where id = 2; insert into public.u values (1, 'x')",
  );
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("H18: a writer that did not notify keeps the daemon from sleeping until its commit can be seen", async () => {
  await using rig = await openRig({ schema, tables: ["t"], autokick: true });
  const writer = await rig.source.client();
  await using daemon = await openSession(rig.source, "source");
  const asleep = async (): Promise<boolean> =>
    (await daemon.one<{ raised: boolean }>({ name: "x", text: "select pg_try_advisory_lock(25205, 2) as raised" })).raised;
  const heard: string[] = [];
  await daemon.listen("bucardo", (payload) => void heard.push(payload));
  await writer.query(
    "begin; savepoint a; insert into t values (1, 'x'); release a; savepoint b; insert into t values (2, 'y'); rollback to b",
  );
  expect(await asleep()).toBe(false);
  await writer.query("commit");
  expect(await asleep()).toBe(true);
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  await writer.query("begin; insert into t values (3, 'z'); savepoint c; update t set v = 'q'; rollback to c; commit");
  await waitFor(() => heard.length > 0, { what: "the daemon to be woken" });
  await writer.query("update t set v = 'none' where id = 99");
  await writer.query("truncate t");
  await waitFor(() => heard.length === 2, { what: "the daemon to be woken by TRUNCATE" });
});

test("a table that joins a sync counts from its own snapshot, whatever its checkpoint says", async () => {
  await using rig = await openRig({ schema, tables: ["t"] });
  await rig.source.query("insert into t values (1, 'a')");
  await rig.run();
  await rig.source.query("insert into u values (1, 'before')");
  await rig.target.query("insert into u values (1, 'before')");
  const both = [...rig.relations, { kind: "table" as const, name: { schema: "public", name: "u" }, key: ["id"] }];
  await using session = await openSession(rig.source, "source");
  await installCapture(session, {
    sync: { id: rig.syncId, name: "rig" },
    installation: rig.installation,
    targets: ["target"],
    relations: both.map((relation) => ({ ...relation, autokick: false })),
  });
  await rig.source.query("insert into u values (2, 'after'); update t set v = 'b'");
  // a daemon that has not read the new definition yet settles without u
  await rig.run();
  await rig.source.query("update t set v = 'c'");
  await rig.run({ relations: both });
  expect(await rig.target.query("select * from u order by id")).toEqual([
    { id: 1, v: "before" },
    { id: 2, v: "after" },
  ]);
  // and one with an old definition
  await rig.source.query("update u set v = 'later' where id = 1");
  await rig.run();
  await rig.source.query("update t set v = 'd'");
  await rig.run();
  await rig.run({ relations: both });
  expect(await rig.target.one("select v from u where id = 1")).toEqual({ v: "later" });
});

test("a copy that is asked for while one is made is made too", async () => {
  await using rig = await openRig({ schema, tables: ["t"] });
  await rig.source.query("insert into t values (1, 'a')");
  await rig.run();
  await rig.source.query("update bucardo.subscription set recopy = true");
  using _steps = at("replicate.table-staged", () => rig.source.query("update bucardo.subscription set recopy = true"));
  expect((await rig.run()).tables).toMatchObject([{ refilled: true }]);
  expect((await rig.run()).tables).toMatchObject([{ refilled: true }]);
  expect((await rig.run()).outcome).toBe("empty");
});
