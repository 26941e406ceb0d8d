import { afterAll, beforeAll, expect, test } from "vitest";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { footprint } from "../harness/footprint.ts";
import { startServer, type Server } from "../harness/server.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { line } from "../cli/line.ts";
import { keysOf, openHome, split, type Home } from "./home.ts";

/** One source, three targets, several syncs and one daemon; each test goes on where the one before it ended. */
const SCHEMA = `
  create table item (id serial primary key, v text);
  create table part (id int primary key, v text);
  create table later (id int primary key, v text);
  create sequence ticket`;
const TABLES = ["item", "part"];

let home: Home;
let control: TestDatabase;
let A: TestDatabase, B: TestDatabase, C: TestDatabase, D: TestDatabase;
let fragile: Server;
let clean: string[];
const opened: AsyncDisposable[] = [];
const keep = <T extends AsyncDisposable>(one: T): T => (opened.unshift(one), one);

const all = async (): Promise<string[]> => (await Promise.all([control, A, B, C, D].map(footprint))).flat();
const equal =
  (to: TestDatabase, tables: readonly string[] = TABLES) =>
  async (): Promise<boolean> =>
    (await equalTables(A, to, tables)).length === 0;
const until = (condition: () => Promise<unknown>, what: string) => waitFor(condition, { what, timeoutMs: 30_000 });
const insert = (table: string, id: number) => A.query(`insert into ${table} values (${id}, 'row ${id}')`);

beforeAll(async () => {
  const [server, young] = [await sharedServer(15), await sharedServer(18)];
  fragile = keep(await startServer({ major: 14 }));
  control = keep(await createDatabase(server));
  [A, B, D] = [keep(await createDatabase(server)), keep(await createDatabase(young)), keep(await createDatabase(young))];
  C = keep(await createDatabase(fragile));
  for (const database of [A, B, C, D]) await database.query(SCHEMA);
  home = keep(await openHome(control));
  clean = await all();
  await home.ok("install --batch");
  await home.ok("set retry_first='100 ms' retry_longest='1 second' lag_interval='200 ms'");
}, 120_000);

afterAll(async () => {
  await home.run("stop").catch(() => undefined);
  for (const one of opened) await one[Symbol.asyncDispose]();
});

// proves: 6.1/synonyms
test("key=value, key:value, --key value and --key=value mean the same", async () => {
  const [host, port] = [B.server.host, B.server.port];
  await home.ok(`add db A ${keysOf(A)}`);
  await home.ok(`add db B dbname:${B.name} host:${host} port:${port} user:postgres`);
  await home.ok(`add db C --dbname ${C.name}`.replace("--dbname", "--db") + ` --host ${host} --port ${fragile.port} --user postgres`);
  await home.ok(`add db D --db=${D.name} --host=${host} --port=${port} --user=postgres`);
  type Row = { name: string; dbname: string; host: string; port: number; user: string };
  const { databases } = await home.json<{ databases: Row[] }>("list dbs");
  const wanted = [A, B, C, D].map(({ name, server }, index) => ({
    name: "ABCD"[index],
    dbname: name,
    host,
    port: server.port,
    user: "postgres",
  }));
  expect(databases).toMatchObject(wanted);
});

// proves: 6.1/dryrun-confirm
test("--dryrun checks and says everything, and changes nothing anywhere", async () => {
  const before = await all();
  const command = "add sync main tables=item,part,ticket,item_id_seq dbs=A:source,B:target,C:target";
  const rehearsed = await home.ok(`${command} --dryrun`);
  for (const dry of ["add table later db=A", "set log_level=debug", "remove db B --force", "uninstall", "update db B status=inactive"])
    expect(await home.ok(`${dry} --dryrun`), dry).toContain("Dry run: nothing was changed.");
  expect(await home.run("add sync main tables=nosuch dbs=A,B --dryrun")).toMatchObject({ code: 1 });
  expect(await all()).toEqual(before);
  expect(rehearsed).toBe(`${await home.ok(command)}Dry run: nothing was changed.\n`);
});

// proves: 6.3/delta-sync, 6.3/sequences, 6.3/truncate, 6.3/catch-up
test("several targets get rows, sequences and TRUNCATE; changes come without a kick", async () => {
  await home.ok("start");
  await A.query(
    "insert into item (v) select 'item ' || i from generate_series(1, 50) i; insert into part select i, 'part' from generate_series(1, 50) i",
  );
  await A.query("select nextval('ticket') from generate_series(1, 42)");
  expect(await home.ok("kick main 0")).toMatch(/DONE!/);
  const sequences = "select (select last_value from ticket) as ticket, (select last_value from item_id_seq) as item";
  for (const target of [B, C]) {
    expect(await equalTables(A, target, TABLES)).toEqual([]);
    expect(await target.one(sequences)).toEqual({ ticket: "42", item: "50" });
  }
  await insert("part", 1000);
  await until(equal(B), "B to have the row without a kick");
  await A.query("begin; delete from part where id < 5; truncate part; insert into part values (7, 'after'); commit");
  for (const target of [B, C]) await until(equal(target), "the TRUNCATE to arrive");
  expect(await B.query("select id from part")).toEqual([{ id: 7 }]);
});

// proves: 6.2/db-return, 6.3/outage
test("a target that is down holds up no other, is told of, and catches up by itself", async () => {
  await fragile.stop();
  await insert("part", 2000);
  await until(equal(B), "B to go on while C is down");
  const told = /Last error +: database "C": cannot connect.*\n[^]*Target C: Waiting, lag 1 /;
  await until(async () => told.test(await home.ok("status main")), "status to say why C waits");
  expect(await home.ok("status main")).toMatch(/Target B: Idle, lag 0/);
  expect(await home.ok("status")).toMatch(/ main +\| Bad /);
  // A kick waits for all targets: with a limit it says which one it is that keeps it.
  const kicked = await home.run("kick main 1");
  expect(kicked).toMatchObject({ code: 1, stderr: expect.stringMatching(/C is tried again: .*cannot connect[^]*Timed out!/) as string });
  await A.query("delete from part where id = 7");
  await fragile.start();
  await until(equal(C), "C to catch up by itself");
  await until(async () => /Target C: Idle, lag 0/.test(await home.ok("status main")), "status to say so");
  expect(await home.ok("kick main 0")).toMatch(/DONE!/);
});

// proves: 6.2/checktime
test("two syncs over the same table; one that only runs by the clock", async () => {
  expect(await home.ok("add sync clock tables=item dbs=A:source,D:target autokick=off checktime='1 second'")).toContain(
    'Added sync "clock"',
  );
  await A.query("update item set v = 'changed' where id <= 10; delete from item where id > 40");
  await A.query("insert into item values (5000, 'new')");
  await until(equal(B), "B to follow the sync that runs on change");
  await D.query("insert into item select i, 'item ' || i from generate_series(1, 40) i");
  await until(async () => (await D.query("select from item where id = 5000")).length === 1, "D to get the row by the clock");
  expect(await home.ok("compare main")).toMatch(/^Sync main, target B: equal\n[^]*target C: equal/m);
});

// proves: 6.1/pause, 6.1/activate
test("pause and deactivate hold a sync over a restart of the daemon, and lose nothing", async () => {
  for (const [hold, go, word] of [
    ["pause", "resume", "Paused"],
    ["deactivate", "activate", "Inactive"],
  ] as const) {
    await home.ok(`${hold} main`);
    const restarted = await home.ok("restart");
    expect(restarted).toMatch(/Bucardo is running, PID \d+/);
    const [{ id }] = (await A.query<{ id: number }>(
      "insert into item (id, v) select max(id) + 1, 'while held' from item returning id",
    )) as [{ id: number }];
    const arrived = async (at: TestDatabase): Promise<boolean> => (await at.query("select from item where id = $1", [id])).length === 1;
    await until(() => arrived(D), "the other sync to run");
    expect(await home.ok("status"), hold).toMatch(new RegExp(` main +\\| ${word} `));
    expect([await arrived(B), await arrived(C)]).toEqual([false, false]);
    await home.ok(`${go} main`);
    await until(async () => (await arrived(B)) && (await arrived(C)), `${go} to bring what was missed`);
  }
});

// proves: 6.2/living-sync, 6.2/db-status, 6.1/reload, 6.2/onetimecopy, 6.1/add-update-remove
test("tables join and leave a living sync, and the daemon takes over what is changed", async () => {
  const triggers = async (): Promise<string[]> =>
    (
      await A.query<{ table: string }>(
        "select distinct tgrelid::regclass::text as table from pg_trigger where tgname like 'bucardo%' order by 1",
      )
    ).map((row) => row.table);
  expect(await home.ok("update sync main add table later")).toContain("public.later");
  expect(await triggers()).toEqual(["item", "later", "part"]);
  await insert("later", 1);
  for (const target of [B, C]) await until(equal(target, ["later"]), "the new table to be followed");
  expect(await home.ok("update sync main remove table part")).toContain("public.part");
  expect(await triggers()).toEqual(["item", "later"]);
  await insert("part", 3000);
  await insert("later", 2);
  await until(equal(B, ["later"]), "the rest to go on");
  expect(await equal(B, ["part"])()).toBe(false);

  // Without a restart or reload: nothing by the clock any more, but on change.
  expect(await home.ok("update sync clock checktime=none autokick=on")).toMatch(
    /autokick from false to true\n.*checktime from 1 s to none/,
  );
  await A.query("insert into item values (6000, 'on change')");
  await until(async () => (await D.query("select from item where id = 6000")).length === 1, "the changed sync to run on change");
  await D.query("update item set v = 'spoilt' where id = 6000");
  expect(await home.run("compare clock --patience=none")).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/\(6000\) different/) as string,
  });
  await home.ok("update sync clock onetimecopy=1");
  expect(await home.ok("kick clock 0")).toMatch(/DONE!/);
  expect(await equalTables(A, D, ["item"])).toEqual([]);
  await home.ok("update db C status=inactive");
  await insert("later", 3);
  await until(equal(B, ["later"]), "the active target to go on");
  expect(await home.ok("kick main 0")).toMatch(/DONE!/);
  expect(await equal(C, ["later"])()).toBe(false);
  await home.ok("update db C status=active");
  await until(equal(C, ["later"]), "the target to be brought up to date when it is active again");
});

// proves: 6.1/list, 6.1/status-json, 6.1/delta
test("every reading command has --json that says what the text says", async () => {
  const text = async (command: string): Promise<string> => (await line(split(command), { home: home.path })).out;
  const json = async (command: string): Promise<unknown> => JSON.parse(await text(`${command} --json`));
  const names = (rows: unknown): string[] => (rows as { name: string }[]).map(({ name }) => name);

  const everything = (await json("list all")) as Record<string, { name: string; relation: string }[]>;
  expect(Object.keys(everything)).toEqual(["databases", "dbgroups", "relgroups", "syncs", "tables", "sequences", "customcodes"]);
  for (const [noun, key, head] of [
    ["dbs", "databases", /^Database: (\w+) /gm],
    ["dbgroups", "dbgroups", /^dbgroup: (\w+) /gm],
    ["relgroups", "relgroups", /^Relgroup: (\w+) /gm],
    ["syncs", "syncs", /^Sync "(\w+)"/gm],
  ] as const) {
    const rows = ((await json(`list ${noun}`)) as Record<string, unknown>)[key];
    expect(rows).toEqual(everything[key]);
    expect([...(await text(`list ${noun}`)).matchAll(head)].map((match) => match[1])).toEqual(names(rows));
  }
  for (const [noun, key] of [
    ["tables", "tables"],
    ["sequences", "sequences"],
  ] as const) {
    const { relations } = (await json(`list ${noun}`)) as { relations: { relation: string }[] };
    expect(relations).toEqual(everything[key]);
    expect([...(await text(`list ${noun}`)).matchAll(/^\d+\. \w+: (\S+) /gm)].map((match) => match[1])).toEqual(
      relations.map((row) => row.relation),
    );
  }

  const shown = (await json("show all")) as { settings: { name: string; value: string }[] };
  const pairs = [...(await text("show all")).matchAll(/^(\w+) *= ?(.*)$/gm)].map(([, name, value]) => ({ name, value }));
  expect(pairs).toEqual(shown.settings.map(({ name, value }) => ({ name, value })));
  const status = (await json("status")) as { alive: boolean; daemon: { pid: number }; syncs: { sync: { name: string }; word: string }[] };
  const table = await text("status");
  expect(table).toContain(`PID of Bucardo MCP: ${status.daemon.pid}\n`);
  for (const { sync, word } of status.syncs) expect(table).toMatch(new RegExp(`^ ${sync.name} +\\| ${word} `, "m"));
  expect(((await json("status main")) as { syncs: unknown[] }).syncs).toHaveLength(1);

  const delta = (await json("delta")) as { total: number; databases: { db: string; deltas: number }[] };
  expect(await text("delta total")).toBe(`Total deltas across all targets: ${delta.total}\n`);
  expect(await text("delta")).toContain(`for database A: ${delta.databases[0]?.deltas}`);
  expect(await json("ping")).toMatchObject({ ok: true, pid: status.daemon.pid });
  expect(await json("validate all")).toMatchObject({ syncs: [{ ok: true }, { ok: true }] });
  expect(await json("compare clock")).toMatchObject({ sync: "clock", equal: true, targets: [{ target: "D", equal: true }] });
  for (const command of ["inspect sync main", "inspect table item", "inspect db A", "help kick"]) {
    expect(Object.keys((await json(command)) as object).length, command).toBeGreaterThan(0);
    expect((await text(command)).length, command).toBeGreaterThan(0);
  }
  const failed = await line(split("status nosuch --json"), { home: home.path });
  expect({ code: failed.code, out: failed.out, error: JSON.parse(failed.err) as unknown }).toMatchObject({
    code: 1,
    out: "",
    error: { error: { code: "unknown-object" } },
  });
});

// proves: 6.1/uninstall
test("uninstall removes everything from everywhere", async () => {
  await home.ok("stop");
  const said = await home.ok("uninstall --batch");
  expect(said).toContain('"A"');
  expect(await all()).toEqual(clean);
});
