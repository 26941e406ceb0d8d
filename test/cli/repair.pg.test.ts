import { expect, test } from "vitest";
import { equalTables } from "../harness/equal-tables.ts";
import { startDaemon } from "./daemon.ts";
import { openSite } from "./site.ts";

const SCHEMA = `create table person (id integer primary key, mail text);
  create table part (maker text, "Part No" numeric, body text, primary key (maker, "Part No"));
  insert into person select n, 'mail ' || n from generate_series(1, 50) n;
  insert into part select 'it''s "' || n, n / 4.0, 'body' from generate_series(1, 30) n`;

// proves: 6.3/compare
test("what differs on a target is sent again: missing, changed and surplus rows, whatever the key", async () => {
  await using site = await openSite({ majors: [12, 18], schema: SCHEMA });
  for (const name of ["A", "B"]) await site.ok(`add db ${name} $${name}`);
  await site.ok("add sync s tables=person,part dbs=A:source,B:target autokick=off");
  const [source, target] = site.databases as [(typeof site.databases)[0], (typeof site.databases)[0]];
  await using daemon = await startDaemon(site);
  void daemon;
  await site.ok("kick s 0");
  expect(await site.ok("repair s")).toContain("nothing differs");

  await target.query(`delete from person where id in (3, 4); update person set mail = 'wrong' where id = 5; insert into person values (99, 'surplus');
    delete from part where "Part No" = 2.5; insert into part values ('nobody', 1, '')`);
  expect((await site.run("compare s patience=0")).code).toBe(1);
  const rehearsed = JSON.parse(await site.ok("repair s patience=0 --dryrun --json")) as object;
  expect(rehearsed).toMatchObject({
    ran: false,
    touched: [
      { target: "B", table: "public.part", keys: 2 },
      { target: "B", table: "public.person", keys: 4 },
    ],
  });
  expect((await site.run("compare s patience=0")).code).toBe(1);

  const done = JSON.parse(await site.ok("repair s patience=1 --json")) as object;
  expect(done).toMatchObject({ ran: true });
  expect(await equalTables(source, target, ["person", "part"])).toEqual([]);
});

test("without a daemon the keys wait for the next run; only chosen tables are looked at", async () => {
  await using site = await openSite({ majors: [15, 15], schema: SCHEMA });
  for (const name of ["A", "B"]) await site.ok(`add db ${name} $${name}`);
  await site.ok("add sync s tables=person,part dbs=A:source,B:target autokick=off");
  const [source, target] = site.databases as [(typeof site.databases)[0], (typeof site.databases)[0]];
  await target.query("delete from person where id = 7; delete from part");
  const out = await site.ok("repair s tables=person");
  expect(out).toContain("B: public.person: 1 keys are sent again");
  expect(out).toContain("The next run sends them");
  await using daemon = await startDaemon(site);
  void daemon;
  await site.ok("kick s 0");
  expect(await equalTables(source, target, ["person"])).toEqual([]);
  expect(await target.query("select from part")).toEqual([]);
  expect((await site.run("repair s C")).code).toBe(1);
});
