import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { exec } from "../harness/exec.ts";
import { needsProgram } from "../harness/needs-program.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { userTypes, valueCases } from "../replicate/value-case.ts";
import { startDaemon } from "./daemon.ts";
import { Loader } from "./file-site.ts";
import { openSite, type Site } from "./site.ts";

/** Sync `both` goes from A into files of both types, P and S, and these into the second and the third database. */
let site: Site;
let daemon: AsyncDisposable;
let psql: Loader;
let standard: Loader;

const MAJOR = 15;
const VALUES = valueCases.filter(({ since = 0 }) => since <= MAJOR);
const ROWS = 10;

const SCHEMA = `
  ${userTypes("Odd Ext")}
  create type tree as (m mood, p percent);
  create table account (id integer primary key, mail text unique, balance numeric);
  create table "Odd ""name""" (a integer, "B c" text, "select" bytea, primary key ("B c", a));
  create table word (w "Odd Ext".citext primary key, m mood, n integer generated always as identity, twice text generated always as (n::text || '!') stored);
  create table event (id integer, day date, primary key (id, day)) partition by range (day);
  create table event_1 partition of event for values from ('2024-01-01') to ('2024-02-01');
  create table event_2 partition of event for values from ('2024-02-01') to ('2024-03-01');
  create table parent (id integer primary key);
  create table child (id integer primary key references parent on delete cascade);
  create table person (id integer primary key, name text, region text);
  create table shared (id integer primary key, v text);
  create sequence numbers increment by 5;
  create table everything (id integer primary key, ${VALUES.map(({ type }, index) => `v${index} ${type}`).join(", ")})`;

const TABLES = ["account", '"Odd ""name"""', "word", "event", "parent", "child", "everything"];

/** Each column runs through its values and NULL at its own pace. */
function everything(id: number): string {
  return VALUES.map(({ values }) => [...values, "null"][id % (values.length + 1)]).join(", ");
}

beforeAll(async () => {
  site = await openSite({ majors: [MAJOR, MAJOR, MAJOR, MAJOR], schema: SCHEMA });
  const [source, second, third] = site.databases;
  await source!.query(`insert into account select n, 'mail ' || n, n / 3.0 from generate_series(1, 2500) n;
    insert into "Odd ""name""" select n, E'tab\\t ''quote'' \\\\ ' || n, decode(md5(n::text), 'hex') from generate_series(1, 20) n;
    insert into word (w, m) values ('Alpha', 'so so'), ('beta', 'it''s "OK"');
    insert into event select n, date '2024-01-01' + n from generate_series(1, 50) n;
    insert into parent select generate_series(1, 10);
    insert into child select generate_series(1, 10);
    select setval('numbers', 41)`);
  for (let id = 0; id < ROWS; id++) await source!.query(`insert into everything values (${id}, ${everything(id)})`);
  // What was there has to go.
  for (const target of [second!, third!]) await target.query("insert into account values (9999, 'mail 1', 0)");
  psql = await Loader.make(join(site.home, "psql files"), second!);
  standard = await Loader.make(join(site.home, "standard"), third!, "set session_replication_role = replica");
  await site.ok("add db A $A");
  expect(await site.ok(`add db P type=flatpg dir='${psql.directory}'`)).toBe('Added database "P"\n');
  await site.ok(`add db S type=flatfile_sql directory=${standard.directory}`);
  await site.ok("add table account Odd% word event parent child everything db=A relgroup=both");
  await site.ok("add sequence numbers db=A relgroup=both");
  await site.ok("add sync both relgroup=both dbs=A:source,P:target,S:target onetimecopy=1 autokick=off");
  daemon = await startDaemon(site);
}, 90_000);

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

/** Loads what is new of both. Gives the names of the files for psql. */
async function expectLoaded(): Promise<string[]> {
  const [source, second, third] = site.databases;
  const names = await psql.load({ twice: true });
  await standard.load({ twice: true });
  expect(await equalTables(source!, second!, TABLES)).toEqual([]);
  expect(await equalTables(source!, third!, TABLES)).toEqual([]);
  return names;
}

// proves: 6.3/flat-files
test("files of both types, loaded in their order and each twice, make databases equal to the source: values of all types, every kind of change", async () => {
  const [source, second, third] = site.databases;
  await site.ok("kick both 0");
  expect(await expectLoaded()).toEqual(["bucardo.flatfile.both.0000000001.sql"]);
  for (const target of [second!, third!]) expect(await target.one("select nextval('numbers')::int as n")).toEqual({ n: 46 });

  await source!
    .query(`update account set balance = 0 where id < 100; delete from account where id > 1200; update account set id = 5000 where id = 50;
    update account set mail = null where id = 1; update account set mail = 'mail 1' where id = 2; update account set mail = 'mail 2' where id = 1;
    update "Odd ""name""" set "select" = null where a = 3; delete from "Odd ""name""" where a > 10; update "Odd ""name""" set "B c" = '' where a = 5;
    update word set w = 'gamma' where w = 'Alpha'; delete from word where w = 'beta';
    alter table event detach partition event_1; insert into event values (99, '2024-02-29'); delete from event where id = 40;
    truncate child; insert into child select generate_series(1, 3)`);
  for (let id = 0; id < ROWS; id++)
    await source!.query(
      `update everything set (${VALUES.map((_, index) => `v${index}`).join(", ")}) = row(${everything(id + 1)}) where id = ${id}`,
    );
  await site.ok("kick both 0");
  expect(await expectLoaded()).toHaveLength(1);

  // Rows that refer to one that is written anew stay.
  await source!.query("update parent set id = id where id = 1");
  await site.ok("kick both 0");
  const [name = ""] = await expectLoaded();
  expect(await psql.text(name)).not.toContain("child");

  await source!.query("select nextval('numbers')");
  await site.ok("kick both 0");
  expect(await psql.load()).toHaveLength(1);
  expect(await standard.load()).toHaveLength(1);
  expect(await second!.one("select last_value::int, is_called from numbers")).toEqual({ last_value: 46, is_called: true });
  expect(await third!.one("select nextval('numbers')::int as n")).toEqual({ n: 51 });

  const before = await psql.files();
  await site.ok("kick both 0");
  expect(await psql.files()).toEqual(before);
});

test("psql itself reads them", async (context) => {
  const program = needsProgram(context, "psql").psql;
  const [source] = site.databases;
  await site.ok("kick both 0");
  await using target = await createDatabase(await sharedServer(MAJOR));
  await target.query(SCHEMA);
  const { host, port, user, database } = target.connection;
  for (const name of await psql.files()) {
    const args = [
      "-X",
      "-q",
      "-h",
      host,
      "-p",
      String(port),
      "-U",
      user,
      "-d",
      database,
      "-o",
      "/dev/null",
      "-f",
      join(psql.directory, name),
    ];
    expect(await exec(program, args, { cwd: site.home, env: { PATH: process.env["PATH"], LC_ALL: "C" } })).toMatchObject({
      code: 0,
      stderr: "",
    });
  }
  expect(await equalTables(source!, target, TABLES)).toEqual([]);
});

test("what commands say of files", async () => {
  expect(await site.ok("list dbs P")).toBe(`Database: P  Status: active  Conn: flatpg files in ${psql.directory}\n`);
  expect(JSON.parse(await site.ok("list dbs S --json"))).toMatchObject({
    databases: [{ type: "flatsql", directory: standard.directory, host: null }],
  });
  expect(await site.ok("inspect db P")).toContain(`as files (flatpg) into ${psql.directory}`);
  expect(await site.ok("inspect dbgroup both")).toContain(`P  target: Database "P" is files`);
  expect(await site.ok("validate both")).toContain("Validating sync both ... OK");
  expect(await site.ok("status both")).toContain("P");
  await rename(psql.directory, `${psql.directory}.away`);
  expect(await site.ok("validate both")).toContain(`${psql.directory} does not exist`);
  await rename(`${psql.directory}.away`, psql.directory);
});

test("what files cannot be is refused, and nothing changes", async () => {
  const stored = async () => [await site.ok("list dbs --json"), await site.ok("list syncs --json"), await site.ok("list dbgroups --json")];
  const before = await stored();
  const faults: [string, string][] = [
    ["add db x type=flatpg", "bad-value"],
    ["add db x type=flatpg dir=relative", "bad-value"],
    ["add db x type=flatpg dir=/nosuch/dir", "file-target"],
    [`add db x type=flatpg dir=${site.home} host=h`, "bad-value"],
    [`add db x,y type=flatsql dir=${site.home}`, "usage"],
    ["add db x type=flatfile", "not-supported"],
    ["update db P type=flatsql", "not-supported"],
    ["update db P port=1", "bad-value"],
    ["update db P dir=/nosuch/dir", "file-target"],
    [`update db A dir=${site.home}`, "bad-value"],
    ["add table account db=P", "not-supported"],
    ["add sync bad dbs=P:source,A:target tables=account", "sync-invalid"],
    ["add sync bad dbs=A:source,P:source tables=account", "sync-invalid"],
    ["add sync bad dbs=A:source,P:fullcopy tables=account", "sync-invalid"],
    ["update dbgroup both add S:source", "sync-invalid"],
    ["compare both", "not-supported"],
    ["repair both P", "not-supported"],
  ];
  for (const [command, code] of faults) {
    const { code: exit, out, err } = await site.run(`${command} --json`);
    expect({ command, exit, out, error: (JSON.parse(err) as { error: { code: string } }).error.code }).toEqual({
      command,
      exit: 1,
      out: "",
      error: code,
    });
  }
  expect(await stored()).toEqual(before);
  const forced = await site.ok("add db far type=flatpg dir=/nosuch/dir --force");
  expect(forced).toContain("/nosuch/dir does not exist");
  await site.ok("remove db far");
});

test("custom code does not run for files: the target is paused and says why, until the code goes", async () => {
  await writeFile(join(site.home, "nothing.js"), "export default () => {};\n");
  await site.ok("add customcode nothing whenrun=before_sync src_code=nothing.js sync=both");
  await waitFor(async () => (await site.ok("status both --json")).includes("for which no custom code runs"), { what: "the reason" });
  await site.ok("remove customcode nothing");
  await site.ok("kick both 0");
});

test("other names, columns and rows; a directory that is another one stops the target until it is accepted", async () => {
  const [source, , third] = site.databases;
  const files = await Loader.make(join(site.home, "people"), third!);
  await third!.query("create schema archive; create table archive.people (person_id integer primary key, label text)");
  await source!.query("insert into person values (1, 'one', 'EU'), (2, 'two', 'US')");
  await site.ok(`add db M type=flatpg dir=${files.directory}`);
  await site.ok("add table person db=A relgroup=people");
  await site.ok("add customname person archive.people db=M");
  await site.ok(`add customcols person "SELECT id AS person_id, upper(name) AS label" db=M`);
  await site.ok(`add rowfilter person "region = 'EU'" db=M`);
  await site.ok("add sync people relgroup=people dbs=A:source,M:target onetimecopy=1 autokick=off");
  await site.ok("kick people 0");
  const people = async () => {
    await files.load();
    return await third!.query("select * from archive.people order by 1");
  };
  expect(await people()).toEqual([{ person_id: 1, label: "ONE" }]);
  await source!.query("update person set region = case region when 'EU' then 'US' else 'EU' end");
  await site.ok("kick people 0");
  expect(await people()).toEqual([{ person_id: 2, label: "TWO" }]);

  // Away for a while: it goes on by itself.
  await rename(files.directory, `${files.directory}.away`);
  await source!.query("insert into person values (4, 'four', 'EU')");
  await site.ok("kick people");
  await waitFor(async () => (await site.ok("status people --json")).includes(`${files.directory} does not exist`), { what: "the reason" });
  await rename(`${files.directory}.away`, files.directory);
  await site.ok("kick people 0");
  expect(await people()).toHaveLength(2);

  await rename(files.directory, `${files.directory}.away`);
  await mkdir(files.directory);
  await source!.query("insert into person values (3, 'three', 'EU')");
  const stopped = await site.run("kick people 0");
  expect(stopped.code).not.toBe(0);
  expect(stopped.err + stopped.out).toContain("it has no record of the runs before");
  expect(await files.files()).toEqual([]);
  await site.ok("accept people M");
  await site.ok("kick people 0");
  expect(await files.files()).toEqual(["bucardo.flatfile.people.0000000001.sql"]);
  expect(await files.text("bucardo.flatfile.people.0000000001.sql")).toContain("3\tTHREE\n");
  await site.ok("remove sync people");
});

test("beside several sources the files get what the first of them has", async () => {
  const [source, , third, other] = site.databases;
  const files = await Loader.make(join(site.home, "shared"), third!);
  await site.ok("add db D $D");
  await site.ok(`add db F type=flatsql dir=${files.directory}`);
  await site.ok("add sync many dbs=A:source,D:source,F:target tables=shared autokick=off");
  await source!.query("insert into shared values (1, 'of A'), (2, 'of both')");
  await other!.query("insert into shared values (3, 'of D')");
  await site.ok("kick many 0");
  await other!.query("update shared set v = 'changed on D' where id = 2; delete from shared where id = 1");
  await site.ok("kick many 0");
  await files.load();
  expect(await third!.query("select * from shared order by id")).toEqual([
    { id: 2, v: "changed on D" },
    { id: 3, v: "of D" },
  ]);
  expect(await equalTables(source!, third!, ["shared"])).toEqual([]);
  await site.ok("remove sync many");
});
