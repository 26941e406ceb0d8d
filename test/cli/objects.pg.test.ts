import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

/** Databases, tables and syncs as they are registered, and what their settings do. One site for all; the daemon comes after the first half. */
let site: Site;
let daemon: Awaited<ReturnType<typeof startDaemon>> | undefined;
const source = (): TestDatabase => site.databases[0]!;
const target = (): TestDatabase => site.databases[1]!;

const SCHEMA = `
  create table plain (id int primary key, v text); create table nokey (x int); create sequence counter;
  create schema shop; create table shop.item (id int primary key); create table shop.plain (id int primary key); create sequence shop.number; create table shop.nokey (x int);
  create table keys (a int not null, b int not null, c int unique, d text not null unique, v text); create unique index on keys (a, b);
  create table one (id int primary key, v text); create table two (id int primary key, v text); create table pressed (id int primary key, v text)`;

beforeAll(async () => {
  site = await openSite({ majors: [13, 18], schema: SCHEMA });
  await site.ok("add db A $A server_side_prepares=0");
  await site.ok("add db B $B");
}, 90_000);

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

const relations = async (command: string): Promise<string[]> =>
  (JSON.parse(await site.ok(`${command} --json`)) as { relations: string[] }).relations;

async function refused(command: string): Promise<string> {
  const { code, out, err } = await site.run(command);
  expect({ command, code, out }).toEqual({ command, code: 1, out: "" });
  return err;
}

// proves: 6.2/server-side-prepares, 6.2/db-dsn, 6.3/other-targets
test("databases: what meant something elsewhere is listed, other kinds and driver strings are refused", async () => {
  expect((await site.run("update db A ssp=1")).err).toContain("without meaning here: server_side_prepares");
  expect(await site.ok("list dbs A -vv")).toContain('legacy      = {"server_side_prepares":"1"}');
  for (const verb of ["add db X", "update db A"]) {
    expect(await refused(`${verb} dbdsn=DBI:Pg:dbname=x`)).toMatch(/dbdsn= is not offered\.\nUse url= or conn=/);
    for (const type of ["mysql", "redis"])
      expect(await refused(`${verb} type=${type}`)).toContain(`Databases of type "${type}" are not offered`);
  }
  expect(await site.ok("list dbs X")).toContain("No matching");
});

// proves: 6.2/add-table, 6.2/add-all
test("tables and sequences by name, pattern and all, and what is left out", async () => {
  expect(await relations("add table plain db=A")).toEqual(["public.plain", "shop.plain"]);
  expect(await relations("add table 'shop.*' one db=A relgroup=g")).toEqual(["public.one", "shop.item", "shop.nokey", "shop.plain"]);
  expect(await relations("add sequence 'num%' public.counter db=A relgroup=g")).toEqual(["public.counter", "shop.number"]);
  expect(await refused("add table shop.itme db=A")).toContain("shop.itme (did you mean shop.item?)");
  expect((await site.ok("list relgroup g -v")).match(/shop\.(item|nokey|plain|number)/g)).toHaveLength(4);
  await site.ok("remove relgroup g");
  expect(await site.ok("remove all tables --batch")).toContain("shop.item");

  expect(await relations("add all tables db=A -n shop --pkonly relgroup=g")).toEqual(["shop.item", "shop.plain"]);
  expect(await relations("add all tables db=A -N shop -T 'no*' -T keys,pressed")).toEqual(["public.one", "public.plain", "public.two"]);
  expect(await relations("add all tables db=A -t nokey")).toEqual(["public.nokey", "shop.nokey"]);
  expect(await relations("add all sequences db=A -N shop")).toEqual(["public.counter"]);
  expect(await site.ok("add all tables db=A")).toBe("New tables added: 2\nAlready added: 7\n");
  expect((await site.ok("list relgroup g -v")).match(/shop\.\w+/g)).toHaveLength(2);
});

// proves: 6.2/custom-triggers, 6.2/delta-bypass, 6.2/autosync-ddl, 6.3/slony, 6.3/large-objects
test("words that are not offered say what to take instead, and change nothing", async () => {
  expect(await refused("add customtrigger shout table=plain")).toContain(
    "take custom code at the points of a run, or a trigger of your own",
  );
  expect(await refused("add sync x tables=plain dbs=A:source,B:target delta_bypass=1")).toMatch(
    /delta_bypass is not offered.*onetimecopy=1/s,
  );
  expect(await refused("add sync x tables=plain dbs=A:source,B:target autosync_ddl=newcol")).toMatch(
    /autosync_ddl is not offered.*Change both sides/s,
  );
  expect(await refused("slony_migrator --db A")).toContain("`migrate` moves a database out of a Slony set");
  expect(await refused("add largeobjects all db=A")).toContain("`migrate` carries them");
  expect(await site.ok("list syncs")).toContain("No syncs");
});

// proves: 6.2/key-choice, 6.2/key-manual
test("the key: PRIMARY KEY, else the smallest unique index without NULLs, or the one that is said", async () => {
  const listed = async (name: string) => / PK: (.*?)(?: {2}|\n)/.exec(await site.ok(`list tables ${name}`))?.[1];
  expect(await listed("public.one")).toBe("id (integer)");
  expect(await listed("keys")).toBe("d (text)");
  expect(await listed("public.nokey")).toBe("none");
  await site.ok("update table keys pkey=a,b");
  expect(await listed("keys")).toBe("a (integer), b (integer)");
  await site.ok("update table keys pkey=c");
  expect(await refused("add sync keys tables=keys dbs=A:source,B:target")).toMatch(/public\.keys: .*\bc\b.*NULL/s);
  await site.ok("update table keys pkey=a,b");
  await site.ok("add sync keys tables=keys dbs=A:source,B:target autokick=off");
  expect(await source().one("select key_columns::text[] as key from bucardo.captured_table where table_name = 'keys'")).toEqual({
    key: ["a", "b"],
  });
});

// proves: 6.2/isolation-level, 6.2/track-rates, 6.2/sync-priority
test("settings of syncs that mean nothing here are told and listed; the priority orders lists and the start", async () => {
  const add = (name: string, keys: string) => site.run(`add sync ${name} tables=public.one dbs=A:source,B:target autokick=off ${keys}`);
  expect(await add("last", "priority=-1 txnmode=serializable")).toMatchObject({
    code: 0,
    err: expect.stringContaining("without meaning here: isolation_level"),
  });
  expect(await add("first", "priority=9 track_rates=on isolation_level='repeatable read'")).toMatchObject({
    code: 0,
    err: expect.stringContaining("track_rates"),
  });
  expect(await site.ok("list sync first -vv")).toMatch(
    /Without meaning here: (track_rates, isolation_level|isolation_level, track_rates)\n/,
  );
  expect((await site.ok("list syncs")).match(/Sync "\w+"/g)).toEqual(['Sync "first"', 'Sync "keys"', 'Sync "last"']);
  await source().query("insert into one values (1, 'one'); insert into keys values (1, 1, null, 'one', 'x'), (1, 2, null, 'two', 'y')");
  daemon = await startDaemon(site, { max_runs: "1" });
  const ran = () =>
    site.control.query<{ sync: string }>("select sync from bucardo.syncrun where ended is not null group by sync order by min(started)");
  await waitFor(async () => (await ran()).length === 3, { what: "each sync to have run" });
  expect((await ran()).map(({ sync }) => sync)).toEqual(["first", "keys", "last"]);
  await site.ok("kick first keys last 0");
  await source().query("update keys set d = 'other' where b = 2; delete from keys where b = 1");
  await site.ok("kick keys 0");
  expect(await equalTables(source(), target(), ["one", "keys"])).toEqual([]);
  expect(await site.ok("status keys")).toMatch(/public\.keys: 1 upserted, 1 deleted, \d+ bytes, \d+ ms/);
  const { runs } = JSON.parse(await site.ok("list runs keys --json")) as { runs: object[] };
  expect(runs[0]).toMatchObject({ upserted: 1, deleted: 1, tables: [{ table: "public.keys", ms: expect.any(Number) }] });
  await site.ok("remove sync first");
});
