import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

/** When runs begin, what they wait for and what they leave. One site and one daemon for all; each test has tables of its own. */
let site: Site;
let daemon: AsyncDisposable;
const source = (): TestDatabase => site.databases[0]!;
const target = (): TestDatabase => site.databases[1]!;
const third = (): TestDatabase => site.databases[2]!;

beforeAll(async () => {
  site = await openSite({ majors: [13, 18, 10] });
  for (const name of ["A", "B", "C"]) await site.ok(`add db ${name} $${name}`);
  daemon = await startDaemon(site, { purge_interval: "200 ms", retry_first: "50 ms", retry_longest: "200 ms" });
}, 90_000);

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

/** Tables of a sync that runs only when kicked; the daemon has seen it. */
async function addSync(name: string, tables: string, more = "dbs=A:source,B:target"): Promise<void> {
  await site.ok(`add sync ${name} tables=${tables} ${more} autokick=off`);
  await site.ok(`kick ${name} 0`);
}

/** How many sessions of that database wait for a lock. */
async function waiting(database: TestDatabase): Promise<number> {
  const { count } = await database.one<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return count;
}

// proves: 6.2/autokick
test("autokick of a table is stronger than that of its sync, and the old word ping means the same", async () => {
  const tables = ["quiet", "stubborn", "eager", "lazy", "loud"];
  await both(tables.map((table) => `create table ${table} (id int primary key)`).join(";"));
  await site.ok("add table eager db=A autokick=on");
  await site.ok("add table stubborn db=A ping=0");
  await site.ok("add sync quiet tables=quiet dbs=A:source,B:target ping=false");
  await site.ok("add sync mixed tables=eager,lazy dbs=A:source,B:target autokick=off");
  await site.ok("add sync stubborn tables=stubborn dbs=A:source,B:target");
  await site.ok("add sync loud tables=loud dbs=A:source,B:target");
  await site.ok("kick quiet mixed stubborn loud 0");
  const counts = () => Promise.all(tables.map(async (table) => (await target().query(`select from ${table}`)).length));
  for (const table of ["quiet", "stubborn", "loud"]) await source().query(`insert into ${table} values (1)`);
  await waitFor(async () => (await counts())[4] === 1, { what: "the sync that runs by itself" });
  await source().query("insert into lazy values (1); insert into eager values (1)");
  await waitFor(async () => (await counts())[2] === 1, { what: "the table that makes its sync run" });
  await waitFor(async () => (await counts())[3] === 1, { what: "what waited with it" });
  expect(await counts()).toEqual([0, 0, 1, 1, 1]);
  await site.ok("kick quiet stubborn 0");
  expect(await equalTables(source(), target(), tables)).toEqual([]);
  for (const sync of ["quiet", "mixed", "stubborn", "loud"]) await site.ok(`remove sync ${sync}`);
});

// proves: 6.2/limits
test("no more runs at once than the databases, and the sync, allow", async () => {
  await both(
    "create table held (id int primary key, v text); create table free (id int primary key, v text); insert into held values (1, 'x')",
  );
  await addSync("held", "held");
  await addSync("free", "free");
  for (const limit of ["db A sourcelimit", "db B targetlimit"]) {
    await site.ok(`update ${limit}=1`);
    await site.ok("reload");
    const blocker = await target().client();
    await blocker.query("begin; update held set v = 'mine' where id = 1");
    await source().query("update held set v = v || '.' where id = 1; insert into free select count(*) + 1 from free");
    await site.ok("kick held");
    await waitFor(async () => (await waiting(target())) === 1, { what: "the run to wait for the row" });
    expect((await site.run("kick free 1")).code).toBe(1);
    await blocker.query("rollback");
    await blocker.end();
    await site.ok("kick held free 0");
    await site.ok(`update ${limit}=0`);
  }
  expect(await equalTables(source(), target(), ["held", "free"])).toEqual([]);

  await site.ok("add sync wide tables=held dbs=A:source,B:target,C:target autokick=off limitdbs=1");
  await site.ok("kick wide 0");
  const blockers = await Promise.all([target().client(), third().client()]);
  for (const blocker of blockers) await blocker.query("begin; update held set v = 'mine' where id = 1");
  await source().query("update held set v = 'last' where id = 1");
  const all = async () => (await waiting(target())) + (await waiting(third()));
  await site.ok("kick wide");
  await waitFor(async () => (await all()) > 0, { what: "the first target to wait for the row" });
  expect((await site.run("kick wide 1")).code).toBe(1);
  expect(await all()).toBe(1);
  for (const blocker of blockers) await blocker.query("rollback");
  await site.ok("kick wide 0");
  expect(await equalTables(source(), third(), ["held"])).toEqual([]);
  await site.ok("remove sync held free wide");
});

// proves: 6.3/consistent-run, 6.2/isolation-level
test("a run carries one moment of all tables, and readers see it all at once", async () => {
  await both(
    "create table aa (id int primary key, v int); create table zz (id int primary key, v int); insert into aa values (1, 0); insert into zz values (1, 0)",
  );
  await addSync("moment", "aa,zz");
  const seen = () => target().one("select (select v from aa) as aa, (select v from zz) as zz");
  for (const [step, held] of (["aa", "zz"] as const).entries()) {
    const [before, after, later] = [step * 2, step * 2 + 1, step * 2 + 2];
    const blocker = await target().client();
    await blocker.query(`begin; update ${held} set v = -1`);
    await source().query(`begin; update aa set v = ${after}; update zz set v = ${after}; commit`);
    await site.ok("kick moment");
    await waitFor(async () => (await waiting(target())) === 1, { what: `the run to wait for ${held}` });
    await source().query(`begin; update zz set v = ${later}; update aa set v = ${later}; commit`);
    expect(await seen()).toEqual({ aa: before, zz: before });
    await blocker.query("rollback");
    await blocker.end();
    const { aa, zz } = await waitFor(
      async () => {
        const now = await seen();
        return now["aa"] === before ? null : now;
      },
      { what: "the run" },
    );
    expect(aa).toBe(zz);
    await site.ok("kick moment 0");
    expect(await seen()).toEqual({ aa: later, zz: later });
  }
  await site.ok("remove sync moment");
});

// proves: 6.3/force-lock
test("a file, or a setting, makes runs lock the tables of the sync", async () => {
  await both("create table locked (id int primary key); create table beside (id int primary key)");
  await addSync("locks", "locked,beside");
  const file = join(site.home, "pid", "bucardo-force-lock-locks");
  await mkdir(join(site.home, "pid"), { recursive: true });
  const modes = () =>
    target().query<{ mode: string }>(
      "select mode from pg_locks where relation = 'locked'::regclass and not granted and database is not null",
    );
  for (const [prepare, mode] of [
    [() => writeFile(file, "share row exclusive\n"), "ShareRowExclusiveLock"],
    [() => site.ok("update sync locks force_lock='access exclusive'").then(() => site.ok("reload")), "AccessExclusiveLock"],
  ] as const) {
    await prepare();
    const writer = await target().client();
    await writer.query("begin; insert into locked values (-1)");
    await source().query("insert into beside select count(*) + 1 from beside");
    await site.ok("kick locks");
    expect(await waitFor(async () => (await modes())[0], { what: "the lock to be asked for" })).toEqual({ mode });
    await writer.query("rollback");
    await writer.end();
    await site.ok("kick locks 0");
    expect(await equalTables(source(), target(), ["beside"])).toEqual([]);
    expect(existsSync(file)).toBe(false);
  }
  await site.ok("remove sync locks");
});

// proves: 6.3/serialization-retry
test.each(["40001", "40P01"])("SQLSTATE %s of a target: the run is tried again by itself", async (state) => {
  const table = `retried_${state.toLowerCase()}`;
  await both(`create table ${table} (id int primary key)`);
  await target().query(`create sequence tries_${table};
    create function refuse_${table}() returns trigger language plpgsql as $$ begin
      if nextval('public.tries_${table}') <= 2 then raise exception using errcode = '${state}', message = 'try again'; end if; return new; end $$;
    create trigger refuse before insert on ${table} for each row execute function refuse_${table}(); alter table ${table} enable always trigger refuse`);
  await addSync(table, table);
  await source().query(`insert into ${table} values (1)`);
  await site.ok(`kick ${table}`);
  await waitFor(async () => (await target().query(`select from ${table}`)).length === 1, { what: "the row" });
  expect(await target().one(`select last_value::int as tries from tries_${table}`)).toEqual({ tries: 3 });
  await site.ok(`remove sync ${table}`);
});

// proves: 6.3/purge
test("delivered deltas go by themselves, and not before every target has them", async () => {
  await both("create table many (id int primary key, v int)");
  await addSync("many", "many", "dbs=A:source,B:target,C:target");
  await site.ok("update db C status=inactive");
  await site.ok("reload");
  await source().query("insert into many select n, 0 from generate_series(1, 20000) n; update many set v = 1");
  const bytes = async () =>
    Number(
      (
        await source().one<{ bytes: string }>(`select coalesce(sum(pg_relation_size(c.oid)), 0)::text as bytes from pg_class c
          join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'bucardo' and c.relname ~ '^delta_[0-9]+_[0-9]+$'`)
      ).bytes,
    );
  const full = await bytes();
  await site.ok("kick many 0");
  await site.ok("purge");
  expect(await bytes()).toBeGreaterThanOrEqual(full);
  await site.ok("update db C status=active");
  await site.ok("reload");
  await site.ok("kick many 0");
  await waitFor(async () => (await bytes()) < full / 4, { what: "the deltas to go", timeoutMs: 30_000 });
  expect(await equalTables(source(), third(), ["many"])).toEqual([]);
});

async function both(text: string): Promise<void> {
  for (const database of site.databases) await database.query(text);
}
