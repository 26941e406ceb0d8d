import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

/** One site and one daemon for all; each test has tables of its own. Old source, new target. */
let site: Site;
let daemon: AsyncDisposable;

const SCHEMA = `
  create table person (id integer primary key, name text not null, mail text, region text not null default 'EU', salary integer);
  insert into person select n, 'Name ' || n, 'Mail' || n || '@Example.org', case when n % 3 = 0 then 'US' else 'EU' end, n * 100 from generate_series(1, 60) n;
  create table client (id integer primary key, name text not null, region text not null default 'EU', salary integer);
  insert into client select n, 'Name ' || n, case when n % 3 = 0 then 'US' else 'EU' end, n from generate_series(1, 30) n;
  create table twin (id integer primary key, body text);
  insert into twin select n, 'body ' || n from generate_series(1, 20) n;
  create table pair (a integer, "B c" text, note text, primary key (a, "B c"));
  insert into pair select n, 'it''s "' || n, 'note' from generate_series(1, 10) n;`;

beforeAll(async () => {
  site = await openSite({ majors: [12, 18] });
  const [source, target] = site.databases;
  await source!.query(SCHEMA);
  await target!.query(`create schema archive;
    create table archive.people (person_id integer primary key, mail text, label varchar(40), seen timestamptz default now());
    create table archive.eu (id integer primary key, name text not null, region text not null default 'EU', salary integer);
    create table pair ("Key" integer, "B c" text, note text, primary key ("Key", "B c"))`);
  await source!.query("create table twin_copy (id integer primary key, body text)");
  for (const name of ["A", "B"]) await site.ok(`add db ${name} $${name}`);
  daemon = await startDaemon(site);
}, 90_000);

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

async function rows(which: 0 | 1, text: string): Promise<unknown[][]> {
  const found = await site.databases[which]!.query(text);
  return found.map((row) => Object.values(row));
}

async function equal(source: string, target: string): Promise<void> {
  expect(await rows(1, target)).toEqual(await rows(0, source));
}

// proves: 6.2/customname, 6.2/customcols
test("another name and other columns: copied, kept in step through inserts, updates, key changes and deletes, compared and repaired", async () => {
  const [source, target] = site.databases;
  await site.ok("add table person db=A relgroup=people");
  expect(await site.ok("add customname person archive.people db=B")).toBe("Transformed public.person to archive.people (for database B)\n");
  expect(
    await site.ok(`add customcols person "SELECT id AS person_id, lower(mail) AS mail, name || ' (' || region || ')' AS label" db=B`),
  ).toContain("New columns for public.person:");
  await site.ok("add sync people relgroup=people dbs=A:source,B:target onetimecopy=1 autokick=off");
  await site.ok("kick people 0");
  const ours = "select id, lower(mail), name || ' (' || region || ')' from person order by 1";
  const theirs = "select person_id, mail, label from archive.people order by 1";
  await equal(ours, theirs);

  await source!
    .query(`update person set name = 'Other ' || id where id < 10; delete from person where id in (11, 12); update person set id = 1000 where id = 13;
    insert into person (id, name) values (2000, 'No mail')`);
  await site.ok("kick people 0");
  await equal(ours, theirs);
  expect(await site.ok("compare people")).toContain("public.person: equal");

  await target!.query(
    "update archive.people set label = 'wrong' where person_id = 5; delete from archive.people where person_id = 6; insert into archive.people values (777)",
  );
  const compared = JSON.parse((await site.run("compare people patience=0 --json")).out) as {
    targets: { tables: { differences: unknown[] }[] }[];
  };
  expect(compared.targets[0]!.tables[0]!.differences).toEqual([
    { key: ["5"], kind: "different" },
    { key: ["6"], kind: "only-source" },
    { key: ["777"], kind: "only-target" },
  ]);
  await site.ok("repair people patience=0");
  await equal(ours, theirs);
  await source!.query("truncate person; insert into person (id, name) values (1, 'Alone')");
  await site.ok("kick people 0");
  await equal(ours, theirs);
});

test("what the server does not take is refused when it is said, and nothing is kept", async () => {
  await site.ok("add table pair db=A relgroup=pairs");
  const refused = async (command: string): Promise<string> => {
    const { code, err } = await site.run(command);
    expect(code, command).toBe(1);
    return err;
  };
  expect(await refused(`add customcols pair "SELECT a, note"`)).toContain("lacks columns of the key: B c");
  expect(await refused(`add customcols pair 'SELECT a, "B c", nonsense(note) AS note'`)).toContain(
    "function nonsense(text) does not exist",
  );
  expect(await refused(`add customcols pair 'SELECT a, "B c", count(*) AS note'`)).toContain("aggregate functions are not allowed");
  expect(await refused(`add customcols pair "SELECT a, (select 1) AS note"`)).toContain("would read other rows");
  expect(await refused(`add customcols pair "SELECT a, note); drop table pair; --"`)).toContain("closes nothing");
  expect(await refused(`add customcols pair 'SELECT a, "B c", random() AS note'`)).toContain("random gives another value each time");
  expect(await refused(`add customcols pair "SELECT upper(note)"`)).toContain("needs a name");
  expect(await refused(`add customcols pair "SELECT missing"`)).toContain("columns that do not exist: missing");
  expect(await refused(`add rowfilter pair "note"`)).toContain("boolean");
  expect(await refused(`add rowfilter pair "a > 1 and now() > now()"`)).toContain("now gives another value each time");
  expect(await refused(`add customname nosuch x`)).toContain('No table is registered as "nosuch"');
  expect(await refused(`add customname pair x db=Z`)).toContain('Unknown db: "Z"');
  for (const kind of ["customnames", "customcols", "rowfilters"])
    expect(await site.ok(`list ${kind} pair`)).toBe(`No ${kind} have been added yet\n`);
});

test("a key of several columns, one of them with another name; the list is updated and removed by its number", async () => {
  const [source] = site.databases;
  await site.ok(`add customcols pair 'SELECT a AS "Key", *' db=B`);
  await site.ok("add sync pairs relgroup=pairs dbs=A:source,B:target onetimecopy=1 autokick=off");
  await site.ok("kick pairs 0");
  const ours = `select a, "B c", note from pair order by 1, 2`;
  const theirs = `select "Key", "B c", note from pair order by 1, 2`;
  await equal(ours, theirs);
  await source!.query(
    `update pair set "B c" = 'other' where a = 3; delete from pair where a = 4; update pair set note = 'new' where a = 5`,
  );
  await site.ok("kick pairs 0");
  await equal(ours, theirs);

  const [, id = ""] = /^(\d+)\. Table: public\.pair {2}Columns: /.exec(await site.ok("list customcols pair")) ?? [];
  await site.ok(`update customcols ${id} 'SELECT a AS "Key", "B c", upper(note) AS note'`);
  // No row of the table was changed: the other terms make the next run copy it.
  await site.ok("kick pairs 0");
  await equal(ours.replace(", note", ", upper(note)"), theirs);
  expect((await site.run("remove customcols 4711")).err).toContain("There is no customcols with the number 4711");
  expect((await site.run(`remove customcols ${id}`)).err).toContain("column a does not exist on B");
});

// proves: 6.2/customcols, 6.2/row-filter
test("a row filter: rows that leave it go, rows that enter it come, also in copies, compare and repair", async () => {
  const [source, target] = site.databases;
  await site.ok("add table client db=A relgroup=eu");
  await site.ok("add customname client archive.eu");
  expect(await site.ok(`add rowfilter client where="region = 'EU' and salary > 3" db=B`)).toContain("New row filter for public.client:");
  await site.ok("add sync eu relgroup=eu dbs=A:source,B:target onetimecopy=1 autokick=off");
  await site.ok("kick eu 0");
  const ours = "select * from client where region = 'EU' and salary > 3 order by id";
  await equal(ours, "select * from archive.eu order by id");

  await source!
    .query(`update client set region = 'US' where id in (4, 5); update client set region = 'EU' where id in (6, 9); update client set salary = 1 where id = 7;
    update client set salary = 100 where id = 1; delete from client where id = 8; insert into client (id, name, salary) values (100, 'In', 50), (101, 'Out', 2)`);
  await site.ok("kick eu 0");
  await equal(ours, "select * from archive.eu order by id");
  expect(await site.ok("compare eu")).toContain("public.client: equal, 18 rows on the source, 18 on the target");
  await target!.query("delete from archive.eu where id = 10; insert into archive.eu (id, name, region) values (3, 'not here', 'US')");
  expect((await site.run("compare eu patience=0")).code).toBe(1);
  await site.ok("repair eu patience=0");
  await equal(ours, "select * from archive.eu order by id");
  expect(await site.ok("validate eu")).toContain("OK");

  // Another filter on a living sync.
  const [, id = ""] = /^(\d+)\./.exec(await site.ok("list rowfilters")) ?? [];
  await site.ok(`update rowfilter ${id} "region = 'US'"`);
  await site.ok("kick eu 0");
  await equal("select * from client where region = 'US' order by id", "select * from archive.eu order by id");
  await site.ok(`remove rowfilter ${id}`);
  await site.ok("kick eu 0");
  await equal("select * from client order by id", "select * from archive.eu order by id");
});

// proves: 6.2/same-database
test("one database is source and target, under two names and with another table; sequences too", async () => {
  const [source] = site.databases;
  await site.ok("add db Again $A");
  expect((await site.run("add sync twins tables=twin dbs=A:source,Again:target")).err).toContain("it is the same database as A");
  await site.ok("add table twin db=A relgroup=twins");
  await site.ok("add customname twin twin_copy db=Again");
  await site.ok(`add rowfilter twin "id > 0" db=A`);
  expect((await site.run("add sync twins relgroup=twins dbs=A:source,Again:target")).err).toContain(
    "A is a source: columns and rows are chosen for targets",
  );
  const [, filter = ""] = /^(\d+)\./.exec(await site.ok("list rowfilters twin")) ?? [];
  await site.ok(`remove rowfilter ${filter}`);
  await site.ok("add sync twins relgroup=twins dbs=A:source,Again:target onetimecopy=2");
  const same = async (): Promise<boolean> =>
    JSON.stringify(await rows(0, "select * from twin order by 1")) === JSON.stringify(await rows(0, "select * from twin_copy order by 1"));
  await waitFor(same, { what: "the first copy" });
  await source!.query("update twin set body = 'changed' where id < 5; delete from twin where id = 20; insert into twin values (99, 'new')");
  await waitFor(same, { what: "the changes" });
  expect(await site.ok("compare twins")).toContain("public.twin: equal");
  await site.ok("remove sync twins");
  expect(await rows(0, "select count(*)::int from twin_copy")).toEqual([[20]]);
});

test("a source may have another name too: it is captured there", async () => {
  const [source, target] = site.databases;
  await source!.query("create schema odd; create table odd.thing (id integer primary key, v text); create sequence odd.counter");
  await target!.query("create table thing (id integer primary key, v text); create sequence counter");
  // Registered as B calls it.
  await site.ok("add table public.thing db=B relgroup=things");
  await site.ok("add sequence public.counter db=B relgroup=things");
  await site.ok("add customname public.thing odd.thing db=A");
  await site.ok("add customname public.counter odd.counter db=A");
  await site.ok("add sync things relgroup=things dbs=A:source,B:target autokick=off");
  await source!.query("insert into odd.thing values (1, 'one'), (2, 'two'); select setval('odd.counter', 41)");
  await site.ok("kick things 0");
  await equal("select * from odd.thing order by 1", "select * from thing order by 1");
  expect(await rows(1, "select last_value::int from counter")).toEqual([[41]]);
  expect(await site.ok("compare things")).toContain("Sync things, target B: equal");
  await site.ok("remove sync things");
  expect(await rows(0, "select count(*)::int from pg_trigger where tgrelid = 'odd.thing'::regclass")).toEqual([[0]]);
});
