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
