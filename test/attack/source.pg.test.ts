import { expect, test } from "vitest";
import { releaseSync } from "../../src/capture/release.ts";
import { openRig, openSession } from "../replicate/rig.ts";
import { waitFor } from "../harness/wait.ts";
import { purgeSource } from "../hazards/steering.ts";

test("the owner of a captured table cannot make us run statements by renaming our trigger", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text); create table prey (id int)", tables: ["t"] });
  const owner = `owner_${rig.source.name}`;
  await rig.source.query(`create role ${owner}; grant all on schema public to ${owner}; alter table t owner to ${owner}`);
  const { name } = await rig.source.one<{ name: string }>(
    "select tgname::text as name from pg_trigger where tgrelid = 't'::regclass order by 1 limit 1",
  );
  await rig.source.query(`set role ${owner}; alter trigger ${name} on t rename to "x on public.t; drop table public.prey; --"; reset role`);
  await using session = await openSession(rig.source, "source");
  await releaseSync(session, rig.syncId).catch(() => undefined);
  expect(await rig.source.query("select from pg_class where relname = 'prey'")).toHaveLength(1);
  expect(await rig.source.query("select from pg_trigger where tgrelid = 't'::regclass")).toEqual([]);
  await rig.source.query(`drop owned by ${owner} cascade; drop role ${owner}`);
});

test("a captured table that was dropped does not end the purge of the others", async () => {
  await using rig = await openRig({
    schema: "create table a (id int primary key); create table b (id int primary key); create table c (id int primary key)",
    tables: ["a", "b", "c"],
  });
  await rig.source.query(
    "insert into a select generate_series(1, 1000); insert into b select generate_series(1, 1000); insert into c select generate_series(1, 1000)",
  );
  await rig.run();
  await rig.source.query("drop table a; alter table b rename column id to other");
  const bytes = async (): Promise<number> =>
    (
      await rig.source.one<{ bytes: number }>(
        "select sum(pg_relation_size(c.oid))::int as bytes from pg_class c join bucardo.captured_table t on t.table_name = 'c' where c.relname like 'delta\\_' || t.id || '\\_%'",
      )
    ).bytes;
  expect(await bytes()).toBeGreaterThan(0);
  await purgeSource(rig);
  await purgeSource(rig);
  expect(await bytes()).toBe(0);
});

test("tables that exchange their names exchange their rows on the target too", async () => {
  await using rig = await openRig({
    schema: "create table a (id int primary key, v text); create table b (id int primary key, v text)",
    tables: ["a", "b"],
  });
  await rig.source.query(
    "insert into a select i, 'a' from generate_series(1, 10) i; insert into b select i, 'b' from generate_series(5, 20) i",
  );
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query("begin; alter table a rename to x; alter table b rename to a; alter table x rename to b; commit");
  await rig.source.query("insert into a values (100, 'later')");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("partitioned tables that exchange their names exchange their rows on the target too", async () => {
  const tree = (name: string): string =>
    `create table ${name} (id int primary key, v text) partition by range (id); create table ${name}_1 partition of ${name} for values from (0) to (1000)`;
  await using rig = await openRig({ schema: `${tree("a")}; ${tree("b")}`, tables: ["a", "b"] });
  await rig.source.query(
    "insert into a select i, 'a' from generate_series(1, 10) i; insert into b select i, 'b' from generate_series(5, 20) i",
  );
  await rig.run();
  await rig.source.query("begin; alter table a rename to x; alter table b rename to a; alter table x rename to b; commit");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("a migration of the application that alters tables in another order than we read them is no victim of a deadlock", async () => {
  await using rig = await openRig({
    schema: "create table a (id int primary key, v text); create table b (id int primary key, v text)",
    tables: ["a", "b"],
  });
  await rig.source.query("insert into a values (1, 'x'); insert into b values (1, 'x')");
  await rig.run();
  const app = await rig.source.client();
  const { source } = await rig.sessions();
  // the deadlock check of the application's session comes when ours has been made already
  await app.query("set deadlock_timeout = '1s'");
  await source.script({ name: "t", text: "set deadlock_timeout = '10s'" });
  await rig.source.query("update a set v = 'y'; update b set v = 'y'");
  await app.query("begin; alter table b add check (id > 0)");
  const waiting = (): Promise<unknown[]> => rig.source.query("select from pg_locks where pid = $1 and not granted", [source.backendPid]);
  const run = rig.run().catch((error: unknown) => error);
  await waitFor(async () => (await waiting()).length > 0, { what: "the run to wait for b" });
  await app.query("alter table a add check (id > 0)");
  await app.query("commit");
  await run;
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("a sync that is removed under somebody's long query does not hold the application up for long", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text)", tables: ["t"] });
  const reader = await rig.source.client();
  await reader.query("begin; select from t");
  const app = await rig.source.client();
  await using session = await openSession(rig.source, "source");
  const released = releaseSync(session, rig.syncId).catch((error: { code: string }) => error.code);
  await waitFor(
    async () => (await rig.source.query("select from pg_locks where pid = $1 and not granted", [session.backendPid])).length > 0,
    { what: "the release to wait" },
  );
  await app.query("set lock_timeout = '1s'");
  await app.query("insert into t values (1, 'not held up')");
  await reader.query("commit");
  await released;
});
