import { afterAll, beforeAll, expect, test } from "vitest";
import { equalTables } from "../harness/equal-tables.ts";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

/** One site and one daemon for all. */
let site: Site;
let daemon: AsyncDisposable;

const SCHEMA = `create table list (name text, value integer); create index list_name on list (name);
  create table account (id integer primary key, owner text); create table child (id integer primary key, account integer references account);
  create sequence numbers`;

beforeAll(async () => {
  site = await openSite({ majors: [10, 18, 12], schema: SCHEMA });
  const [source, target] = site.databases;
  await source!
    .query(`insert into list select 'name ' || n % 10, n from generate_series(1, 500) n; insert into list select * from list where value < 4;
    insert into account select n, 'owner ' || n from generate_series(1, 100) n; insert into child select n, n from generate_series(1, 50) n; select setval('numbers', 77)`);
  await target!.query("insert into list values ('old', -1); insert into account values (999, 'old')");
  for (const name of ["A", "B", "C"]) await site.ok(`add db ${name} $${name}`);
  daemon = await startDaemon(site);
}, 90_000);

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

async function number(which: number, text: string): Promise<unknown> {
  const [row] = await site.databases[which]!.query(text);
  return Object.values(row!)[0];
}

// proves: 6.3/fullcopy, 6.2/no-key, 6.2/analyze-vacuum
test("type=fullcopy: nothing is captured, tables need no key, and everything is copied whole when kicked and only then", async () => {
  const [source, target] = site.databases;
  expect(await site.ok("add sync whole source=A targetdb=B type=fullcopy tables=list,account,numbers")).toContain("Sync added: whole");
  expect(await number(0, "select count(*)::int from pg_namespace where nspname = 'bucardo'")).toBe(0);
  expect(await site.ok("list sync whole")).toContain("B:fullcopy");
  // A kick of another sync has been settled meanwhile: the daemon has seen this one, and let it be.
  await site.ok("add sync other tables=child dbs=A:source,C:target strict_checking=off");
  await site.ok("kick other 0");
  expect(await number(1, "select count(*)::int from list")).toBe(1);

  await site.ok("kick whole 0");
  expect(await equalTables(source!, target!, ["list", "account"])).toEqual([]);
  expect(await number(1, "select last_value::int from numbers")).toBe(77);
  await source!.query(
    "delete from list where value > 300; insert into list values (null, null); update account set owner = 'other' where id = 5",
  );
  await site.ok("kick whole 0");
  expect(await equalTables(source!, target!, ["list", "account"])).toEqual([]);
  expect(await site.ok("validate whole")).toContain("OK");
  expect(await site.ok("status whole")).toMatch(/Rows deleted\/upserted +: \d+ \/ \d+ \(tables refilled: 2\)/);
  await waitFor(async () => (await number(1, "select last_analyze is not null from pg_stat_user_tables where relname = 'list'")) === true, {
    what: "the analyze to be told",
  });
});

test("readers see the rows of before until all tables are there; a table that is refused leaves all as it was", async () => {
  const [source, target] = site.databases;
  await source!.query("insert into list values ('new', 1000); insert into account values (200, 'new')");
  await target!.query(
    "create function refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end'; create trigger refuse before insert on account for each row execute procedure refuse(); alter table account enable always trigger refuse",
  );
  expect((await site.run("kick whole 0")).code).toBe(2);
  expect(await number(1, "select count(*)::int from list where value = 1000")).toBe(0);
  expect(await number(1, "select count(*)::int from account")).toBe(100);
  await target!.query("drop function refuse cascade");
  await site.ok("kick whole 0");
  expect(await equalTables(source!, target!, ["list", "account"])).toEqual([]);
});

// proves: 6.2/delete-methods, 6.2/rebuild-index, 6.2/analyze-vacuum, 6.2/copyextra
test("deletemethod truncate falls back to delete where others refer to the table; indexes are built anew, and it is vacuumed", async () => {
  const [source, target] = site.databases;
  await target!.query("insert into child values (1, 1)");
  const files = () =>
    target!.one<{ list: number; account: number; index: number }>(
      "select pg_relation_filenode('list')::int as list, pg_relation_filenode('account')::int as account, pg_relation_filenode('account_pkey')::int as index",
    );
  const before = await files();
  expect(await site.ok("update sync whole deletemethod=truncate rebuild_index=on vacuum_after_copy=1")).toContain(
    'Changed sync "whole" deletemethod from delete to truncate',
  );
  await site.ok("kick whole 0");
  expect(await equalTables(source!, target!, ["list", "account"])).toEqual([]);
  const after = await files();
  expect(after.list).not.toBe(before.list);
  // Referred to by child: deleted from, so its file is the same; not that of its index, which was built anew.
  expect(after.account).toBe(before.account);
  expect(after.index).not.toBe(before.index);
  expect(await number(1, "select count(*)::int from child")).toBe(1);
  await site.ok("update sync whole deletemethod=truncate_cascade");
  await site.ok("kick whole 0");
  expect(await number(1, "select count(*)::int from child")).toBe(0);
  expect(await equalTables(source!, target!, ["list", "account"])).toEqual([]);
  await waitFor(async () => (await number(1, "select last_vacuum is not null from pg_stat_user_tables where relname = 'list'")) === true, {
    what: "the vacuum to be told",
  });
  expect((await site.run("update sync whole deletemethod=burn")).err).toContain("must be delete, truncate or truncate_cascade");
  const extra = await site.run("update sync whole copyextra='with oids'");
  expect(extra.code).toBe(1);
  expect(extra.err).toContain("copyextra is not offered");
  expect(extra.err).toContain("alter role .. set ..");
});

// proves: 6.2/rebuild-index, 6.2/analyze-vacuum
test("what follows a copy may be otherwise for a table than for its sync", async () => {
  const [, target] = site.databases;
  await site.ok("update sync whole deletemethod=delete rebuild_index=off vacuum_after_copy=off");
  expect(await site.ok("update table list rebuild_index=1 vacuum_after_copy=on analyze_after_copy=off")).toContain(
    "Changed public.list rebuild_index from that of the sync to true",
  );
  expect(await site.ok("list tables list")).toContain("analyze_after_copy:false  vacuum_after_copy:true  rebuild_index:true");
  const indexes = () =>
    target!.one<{ list: number; account: number }>(
      "select pg_relation_filenode('list_name')::int as list, pg_relation_filenode('account_pkey')::int as account",
    );
  const vacuums = (table: string) => number(1, `select vacuum_count::int from pg_stat_user_tables where relname = '${table}'`);
  const [before, list, account] = [await indexes(), await vacuums("list"), await vacuums("account")];
  await site.ok("kick whole 0");
  const after = await indexes();
  expect(after.list).not.toBe(before.list);
  expect(after.account).toBe(before.account);
  await waitFor(async () => (await vacuums("list")) === Number(list) + 1, { what: "the vacuum to be told" });
  expect(await vacuums("account")).toBe(account);
});

// proves: 6.2/dbgroup
test("role fullcopy beside a target: changes go to the one at once, and whole copies to the other when kicked", async () => {
  const [source, target, third] = site.databases;
  await site.ok("add sync mixed tables=account dbs=A:source,C:target,B:fullcopy onetimecopy=1");
  await waitFor(async () => (await equalTables(source!, third!, ["account"])).length === 0, { what: "the target" });
  await target!.query("delete from account where id = 7");
  await source!.query("update account set owner = 'seen by C' where id = 8");
  await waitFor(async () => (await number(2, "select owner from account where id = 8")) === "seen by C", {
    what: "the change on the target",
  });
  expect(await number(1, "select count(*)::int from account where id = 7")).toBe(0);
  const [checkpoints] = await source!.query<{ targets: string[] }>(
    "select array_agg(target order by target) as targets from bucardo.checkpoint where sync_name = 'mixed'",
  );
  expect(checkpoints).toEqual({ targets: ["C"] });
  await site.ok("kick mixed 0");
  expect(await equalTables(source!, target!, ["account"])).toEqual([]);
  expect(await site.ok("status mixed")).toMatch(/Onetimecopy +: No/);
  await site.ok("update sync mixed checktime='1 second'");
  await target!.query("delete from account where id = 9");
  await waitFor(async () => (await number(1, "select count(*)::int from account where id = 9")) === 1, { what: "the next scheduled copy" });
});
