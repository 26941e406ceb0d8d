import { afterAll, beforeAll, expect, test } from "vitest";
import { equalTables } from "../harness/equal-tables.ts";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

/** One site for all: each test has syncs of its own. Pieces are small, so that a table of a megabyte is a large one. */
let site: Site;
const PIECES = { copy_piece: "32 kB", copy_jobs: "2" };

const BIG = "create table big (id integer primary key, body text not null, other text unique)";
const SMALL = "create table small (id integer primary key, body text); create sequence numbers";
const LATER = "create table later (id integer primary key, body text not null)";

beforeAll(async () => {
  site = await openSite({ majors: [15, 18, 10], schema: `${BIG}; ${SMALL}; ${LATER}` });
  const [source] = site.databases;
  await source!.query(`insert into big select n, repeat(md5(n::text), 4), 'other ' || n from generate_series(1, 12000) n;
    insert into small select n, 'body ' || n from generate_series(1, 20) n;
    insert into later select n, repeat(md5(n::text), 4) from generate_series(1, 3000) n`);
  for (const name of ["A", "B", "C"]) await site.ok(`add db ${name} $${name}`);
}, 90_000);

afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

async function count(which: number, table: string): Promise<number> {
  const [row] = await site.databases[which]!.query<{ count: number }>(`select count(*)::int as count from ${table}`);
  return row!.count;
}

/** Pieces that have arrived, as the source has them. */
async function arrived(table: string): Promise<{ done: number; all: number; last: string | null }> {
  const [source] = site.databases;
  const [row] = await source!
    .query<{ done: number; all: number; last: string | null }>(
      `select count(*) filter (where p.state = 'done')::int as done, count(*)::int as all, min(p.done_at)::text as last
         from bucardo.copy_piece p join bucardo.copy_table t on t.id = p.copy_table where t.table_name = '${table}'`,
    )
    .catch(() => [{ done: 0, all: 0, last: null }]);
  return row!;
}

// proves: 6.2/onetimecopy
test("a large table is copied in pieces beside the runs: shown, resumed by another daemon, and a kick waits for it", async () => {
  const [source, target] = site.databases;
  await site.ok("add sync s tables=big,small dbs=A:source,B:target onetimecopy=1");
  {
    await using slow = await startDaemon(site, { ...PIECES, copy_rate: "30 kB" });
    await waitFor(async () => (await arrived("big")).done >= 2, { what: "the first pieces" });
    expect(await site.ok("status s")).toMatch(/copying.*: 0 of 1 tables, \d+ % of .* MB/);
    expect(await site.ok("status")).toMatch(/s +\| +Copying|s .*Copying/);
    // What is in step stays in step meanwhile, and nothing else makes the large table join.
    await source!.query(
      "insert into small values (100, 'while it is copied'); update big set body = 'changed' where id in (1, 6000, 12000); delete from big where id = 2",
    );
    await waitFor(async () => (await count(1, "small where id = 100")) === 1, { what: "a change of the small table" });
    expect(await site.ok("validate s")).toContain("OK");
    expect((await site.run("kick s 1")).code).toBe(1);
    const [joined] = await source!.query<{ joined: boolean }>(
      "select s.joined from bucardo.subscription s join bucardo.captured_table t on t.id = s.captured_table where t.table_name = 'big'",
    );
    expect(joined).toEqual({ joined: false });
    expect(slow.log.lines.join("\n")).toContain("Copying in pieces: public.big");
  }
  const before = await arrived("big");
  expect(before.done).toBeLessThan(before.all);
  await using quick = await startDaemon(site, PIECES);
  await waitFor(() => quick.log.lines.join("\n").includes("Copied 1 tables in pieces"), { what: "the rest of the copy" });
  await site.ok("kick s 0");
  expect(await equalTables(source!, target!, ["big", "small"])).toEqual([]);
  expect(await site.ok("list sync s -vv")).toContain("onetimecopy");
  expect(await site.ok("status s")).toMatch(/Onetimecopy +: No/);
  expect(await site.ok("status s")).not.toContain("copying");
  expect(await arrived("big")).toMatchObject({ all: 0 });
});

// proves: 6.2/onetimecopy
test("onetimecopy=2 fills only what is empty on the target", async () => {
  const [source, target] = site.databases;
  await using daemon = await startDaemon(site, PIECES);
  void daemon;
  await target!.query("truncate big; update small set body = 'kept' where id = 3");
  await site.ok("update sync s onetimecopy=2");
  await site.ok("kick s 0");
  expect(await equalTables(source!, target!, ["big"])).toEqual([]);
  expect(await count(1, "small where body = 'kept'")).toBe(1);
  expect(await site.ok("status s")).toMatch(/Onetimecopy +: No/);
  await site.ok("repair s patience=0");
});

// proves: 6.2/onetimecopy, 6.2/analyze-vacuum
test("a copy that is asked for while another is under way begins after that", async () => {
  const [source, target] = site.databases;
  for (const table of ["small", "big"]) await site.ok(`update table ${table} vacuum_after_copy=on`);
  expect(await site.ok("update sync s onetimecopy=1")).toBe('Changed sync "s" onetimecopy from 0 to 1\n');
  expect(await site.ok("update sync s onetimecopy=1")).toBe('Sync "s" copies once more: onetimecopy is 1 already\n');
  {
    await using slow = await startDaemon(site, { ...PIECES, copy_rate: "30 kB" });
    const begun = () => slow.log.lines.filter((line) => line.includes("Copying in pieces: public.big")).length;
    await waitFor(async () => (await arrived("big")).done >= 2, { what: "the first pieces" });
    // What has arrived is gone, and nobody else would bring it back.
    await target!.query("delete from big");
    await site.ok("update sync s onetimecopy=1");
    await site.ok("kick s");
    await waitFor(() => begun() >= 2, { what: "the copy to begin again" });
  }
  await using _quick = await startDaemon(site, PIECES);
  await site.ok("kick s 0");
  expect(await equalTables(source!, target!, ["big", "small"])).toEqual([]);
  expect(await site.ok("status s")).toMatch(/Onetimecopy +: No/);
  const vacuumed = () => count(1, "pg_stat_user_tables where relname in ('big', 'small') and vacuum_count > 0");
  await waitFor(async () => (await vacuumed()) === 2, { what: "both tables to be vacuumed after their copies" });
});

test("a table and a database that join a living sync are brought up to date by themselves; the others go on", async () => {
  const [source, target, third] = site.databases;
  await using daemon = await startDaemon(site, PIECES);
  await target!.query("insert into later values (-1, 'nobody sent this')");
  expect(await site.ok("update sync s add table later")).toContain("public.later is copied by itself");
  await source!.query("update later set body = 'changed' where id <= 10; insert into small values (200, 'meanwhile')");
  await waitFor(async () => (await equalTables(source!, target!, ["later", "small"])).length === 0, { what: "the new table" });

  expect(await site.ok("update dbgroup s add C:target")).toContain("Everything is copied to C by itself");
  await source!.query("insert into small values (201, 'meanwhile'); update big set body = 'once more' where id = 77");
  await waitFor(async () => (await equalTables(source!, third!, ["big", "later", "small"])).length === 0, { what: "the new target" });
  await waitFor(async () => (await equalTables(source!, target!, ["big", "later", "small"])).length === 0, { what: "the old target" });
  expect(daemon.log.lines.join("\n")).toContain("Copying in pieces: public.later");
  await source!.query("delete from big where id = 78; insert into later values (9000, 'last')");
  await site.ok("kick s 0");
  expect(await equalTables(source!, third!, ["big", "later", "small"])).toEqual([]);

  // Without it only changes count.
  await site.ok("set copy_added=never");
  await site.ok("update dbgroup s remove C");
  await third!.query("truncate small");
  expect(await site.ok("update dbgroup s add C:target")).toContain("Changes count from now on");
  await site.ok("kick s 0");
  expect(await count(2, "small")).toBe(0);
});

// proves: 6.2/ghost
test("a ghost table is known, listed and checked, and neither captured nor touched; when it is none any more it begins with a complete copy", async () => {
  const [source, target] = site.databases;
  const tables = "create table lit (id integer primary key, body text); create table shade (id integer primary key, body text)";
  for (const database of [source!, target!]) await database.query(tables);
  await source!.query(
    "insert into lit values (1, 'a'); insert into shade select n, repeat(md5(n::text), 4) from generate_series(1, 2000) n",
  );
  await target!.query("insert into shade values (-1, 'its own')");
  const captured = async () => (await source!.query("select from bucardo.captured_table where table_name = 'shade'")).length;
  await site.ok("set copy_added=always");
  await using _daemon = await startDaemon(site, PIECES);
  await site.ok("add table lit db=A relgroup=haunted");
  await site.ok("add table shade db=A relgroup=haunted ghost=1");
  await site.ok("add sync haunted relgroup=haunted dbs=A:source,B:target onetimecopy=1 autokick=off");
  expect(await site.ok("list tables shade")).toMatch(/Table: public\.shade .*Syncs: haunted {2}ghost:true\n/);
  expect(await site.ok("list sync haunted -v")).toMatch(/ {2}public\.lit\n {2}public\.shade \(ghost: not replicated\)\n/);
  expect(await site.ok("inspect relgroup haunted")).toContain("public.shade  key: id  ghost: not replicated");
  await source!.query("update shade set body = 'changed' where id = 1; insert into lit values (2, 'b')");
  await site.ok("kick haunted 0");
  expect(await equalTables(source!, target!, ["lit"])).toEqual([]);
  expect(await count(1, "shade")).toBe(1);
  expect(await captured()).toBe(0);

  // What does not fit stops nobody, until it is to be replicated.
  await target!.query("alter table shade rename column body to other");
  const lacking = "B: public.shade: column body does not exist on B";
  expect(await site.ok("validate haunted")).toMatch(new RegExp(`OK\n[^]*warning: ${lacking}`));
  const refused = await site.run("update table shade ghost=off");
  expect(refused.code).not.toBe(0);
  expect(refused.err).toContain(lacking);
  await target!.query("alter table shade rename column other to body");
  const switched = await site.ok("update table shade ghost=off");
  for (const said of ["Changed public.shade ghost from true to false\n", "public.shade is copied by itself"])
    expect(switched).toContain(said);
  await source!.query("update shade set body = 'changed' where id = 2; delete from shade where id = 3");
  await site.ok("kick haunted 0");
  expect(await equalTables(source!, target!, ["lit", "shade"])).toEqual([]);

  await site.ok("update table shade ghost=on");
  expect(await captured()).toBe(0);
  await source!.query("delete from shade where id = 4; delete from lit where id = 1");
  await site.ok("kick haunted 0");
  expect([await count(1, "lit"), await count(1, "shade where id = 4")]).toEqual([1, 1]);
  expect(await site.ok("compare haunted")).not.toContain("shade");
});
