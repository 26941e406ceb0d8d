import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isAlive } from "../../src/daemon/pid-file.ts";
import { createDatabase, onServer, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { exec } from "../harness/exec.ts";
import { faultProxy, type FaultProxy } from "../harness/fault-proxy.ts";
import { footprint } from "../harness/footprint.ts";
import { needsProgram } from "../harness/needs-program.ts";
import { runProgram, spawnProgram } from "../harness/program.ts";
import { root } from "../harness/root.ts";
import { programEnv, scratch, type Scratch } from "../harness/scratch.ts";
import { startServer, type Server } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { split } from "./home.ts";

/** What somebody met who tried the Perl program for the first time, complaint by complaint; each test goes on where the one before it ended. */
const SCHEMA = `
  create table account (id int primary key, balance int not null, filler text);
  create table teller (id int primary key, name text)`;
const TABLES = ["account", "teller"];

let home: Scratch;
let old: Server, young: Server;
let source: TestDatabase, target: TestDatabase;
let proxy: FaultProxy;
let clean: string[];

const run = (line: string) => runProgram(split(line), { cwd: home.path, program: "bucardo_ctl" });
async function ok(line: string): Promise<string> {
  const { code, stdout, stderr } = await run(line);
  expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: "" });
  return stdout;
}
/** All that we could leave on either side: objects of the databases, and roles. */
async function traces(): Promise<string[]> {
  const roles = await Promise.all([source, target].map(({ server }) => rolesOf(server)));
  return [...(await footprint(source)), ...(await footprint(target)), ...roles.flat()];
}
const rolesOf = (server: TestDatabase["server"]): Promise<string[]> =>
  onServer(server, async (admin) => {
    const { rows } = await admin.query<{ role: string }>(
      "select format('role %s%s', rolname, case when rolsuper then ' superuser' end) as role from pg_roles where rolname !~ '^pg_' order by 1",
    );
    return rows.map(({ role }) => role);
  });

beforeAll(async () => {
  home = await scratch();
  [old, young] = await Promise.all([startServer({ major: 12 }), startServer({ major: 18 })]);
  // Who moves a database owns it, and is no superuser on either side.
  for (const server of [old, young]) await onServer(server, (admin) => admin.query("create role app login"));
  await onServer(young, (admin) => admin.query("grant set on parameter session_replication_role to app"));
  [source, target] = [await createDatabase(old, { name: "shop" }), await createDatabase(young, { name: "shop" })];
  for (const database of [source, target]) {
    await database.query("alter database shop owner to app");
    await (await database.client({ user: "app" })).query(SCHEMA);
  }
  await source.query(
    "insert into account select i, 0, repeat('x', 200) from generate_series(1, 20000) i; insert into teller values (1, 'Ann')",
  );
  proxy = await faultProxy({ targetPort: old.port });
  clean = await traces();
}, 120_000);

afterAll(async () => {
  await run("stop").catch(() => undefined);
  await proxy[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
  for (const server of [old, young]) await server[Symbol.asyncDispose]();
});

// proves: 6.1/no-plperl, 6.1/no-superuser, 6.1/install-batch
test("install needs no plperl and makes no superuser and no language", async () => {
  const installed = await ok(`install --batch --dbhost=${young.host} --dbport=${young.port} --piddir=${join(home.path, "pid")}`);
  expect(installed).toContain("Installation is now complete.");
  expect(await rolesOf(young)).toEqual(["role app", "role bucardo", "role postgres superuser"]);
  const languages = await onServer(young, (admin) => admin.query("select lanname from pg_language where lanispl"), "bucardo");
  expect(languages.rows).toEqual([{ lanname: "plpgsql" }]);
  clean = await traces();
});

// proves: 6.1/rcfile
test("what the rc file says counts, and what means nothing is told", async () => {
  const rc = join(home.path, ".bucardorc");
  await writeFile(rc, `dbhost : ${young.host}\ndbport = ${young.port}\nlogdest = ${home.path}\nlog-level = debug\nlogdset = /nowhere\n`);
  const { code, stdout, stderr } = await run("list dbs");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "No databases have been added yet\n" });
  expect(stderr).toMatch(/line 5.*"logdset"/);
  await writeFile(rc, `dbhost : ${young.host}\ndbport = ${young.port}\nlogdest = ${home.path}\n`);
});

// proves: 6.1/synonyms, 6.1/clone
test("old words work, or are refused in one line with its remedy", async () => {
  await ok(`add database shop name=old host=${proxy.host} port=${proxy.port} user=app`);
  await ok(`add db new dbname=shop host=${young.host} port=${young.port} user=app`);
  expect(await ok("add herd h account teller db=old")).toContain('"h"');
  expect(await ok("list herds")).toBe(await ok("list relgroups"));
  expect(await ok("upd db old status=active")).toBe("No change needed\n");
  expect(await ok("del herd h")).toContain('"h"');
  await ok("delete table account teller");
  expect(await ok("msg hello")).toBe("");
  expect(await ok("set kick_sleep=0.5")).toMatch(/./);
  for (const line of ["add customcode x", "add customname a b", "add customcols a b", "clone x", "frob"]) {
    const { code, stdout, stderr } = await run(line);
    expect({ line, code, stdout, lines: stderr.split("\n").length - 1 }).toEqual({ line, code: 1, stdout: "", lines: 2 });
  }
});

test("add sync gives up within its patience on a locked table: who holds it is named, no writer waits, nothing stays behind", async () => {
  await ok("set lock_timeout='1 second' lock_attempts=4");
  const before = await traces();
  const holder = await source.client({ user: "app", application_name: "nightly report" });
  await holder.query("begin; update account set balance = 1 where id = 1");
  const { pid } = (await holder.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]!;
  await waitFor(
    async () => (await source.query("select from pg_stat_activity where xact_start < clock_timestamp() - interval '1 s'")).length > 0,
    {
      what: "the transaction to be older than our patience",
    },
  );
  const writer = await source.client({ user: "app" });
  const adding = run("add sync pepper source=old targetdb=new tables=account,teller ping=false");
  let commits = 0;
  const waiting: unknown[] = [];
  for (const end = adding.then(() => "end"); (await Promise.race([end, Promise.resolve()])) !== "end"; commits += 1) {
    await writer.query("update account set balance = balance + 1 where id = 2");
    waiting.push(...(await source.query("select mode, pid from pg_locks where not granted and locktype = 'relation'")));
  }
  const { code, stdout, stderr } = await adding;
  await holder.query("rollback");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(new RegExp(`public\\.account is locked by pid ${pid} \\(nightly report, user app`));
  expect(stderr.match(/^Waiting: /gm)).toHaveLength(3);
  expect({ waiting, busy: commits > 20 }).toEqual({ waiting: [], busy: true });
  expect(await traces()).toEqual(before);
  expect(await ok("list syncs")).toBe("No syncs have been added yet\n");
  expect(await ok("list tables")).toBe("No tables have been added yet\n");
});

test("a lock that is let go in time is waited for", async () => {
  const holder = await source.client({ user: "app" });
  await holder.query("begin; update account set balance = 1 where id = 1");
  const line = "add sync pepper source=old targetdb=new tables=account,teller ping=false";
  await using adding = await spawnProgram(split(line), { cwd: home.path, program: "bucardo_ctl" });
  await adding.said("Waiting: public.account is locked by pid");
  await holder.query("commit");
  expect(await adding.ended()).toMatchObject({
    code: 0,
    stdout: "Table added: public.account\nTable added: public.teller\nSync added: pepper\n",
  });
  await ok("set lock_timeout=DEFAULT lock_attempts=DEFAULT");
});

// proves: 6.4/schema-name
test("a schema dump taken after add sync restores elsewhere: our schema by -N, our triggers by one word", async (context) => {
  const { pg_dump, psql } = needsProgram(context, "pg_dump", "psql");
  await using elsewhere = await createDatabase(young);
  const at = (server: Server, database: string) => `-h ${server.host} -p ${server.port} -U postgres -d ${database}`;
  const line = `${pg_dump} ${at(old, "shop")} --schema-only -N bucardo | grep -v '^CREATE TRIGGER bucardo_' | ${psql} -q -v ON_ERROR_STOP=1 ${at(young, elsewhere.name)}`;
  expect(await exec("bash", ["-o", "pipefail", "-c", line])).toMatchObject({ code: 0, stderr: "" });
  expect((await footprint(elsewhere)).filter((each) => /bucardo|trigger/.test(each))).toEqual([]);
  expect((await elsewhere.query("select * from account")).length).toBe(0);
});

test("kick 0 without a daemon says so at once, and start says why it is not running", async () => {
  const began = performance.now();
  expect(await run("kick pepper 0")).toMatchObject({ code: 3, stderr: expect.stringContaining("No daemon is running") as string });
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(await run("start --log-destination=/proc/nowhere")).toMatchObject({ code: 1, stdout: "" });
  expect(await run("start --dbport=1")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("nothing listens there") as string,
  });
  expect(await ok("status")).toContain("never been started");
});

// proves: 6.1/start-stop-restart, 6.1/kick-wait
test("start returns when it runs, and a kick right behind it is not lost; times have milliseconds", async () => {
  await source.query("update account set balance = 5 where id <= 10; update teller set name = 'Bob'");
  await target.query(
    "insert into account select i, 0, repeat('x', 200) from generate_series(1, 20000) i; insert into teller values (1, 'Ann')",
  );
  await target.query("update account set balance = 1 where id in (1, 2)");
  await source.query("update account set balance = 1 where id in (1, 2)");
  const [started, kicked] = await Promise.all([run("start"), run("kick pepper 0")]);
  expect(started, started.stderr).toMatchObject({ code: 0 });
  const pid = Number(/PID (\d+)/.exec(started.stdout)?.[1]);
  expect(isAlive({ pid, mark: "-" })).toBe(true);
  // Asked while the daemon was still starting, it either waits for it or says at once that there is none.
  expect(kicked.code === 0 || (kicked.code === 3 && kicked.stderr.includes("No daemon is running")), kicked.stderr).toBe(true);
  expect(await ok("kick pepper 0")).toMatch(/^Kick pepper: \[\d+\.\d{3} s\] DONE!\n$/);
  expect(await equalTables(source, target, TABLES)).toEqual([]);
  expect(await ok("status")).toMatch(/ pepper +\| Good +\| \d\d:\d\d:\d\d\.\d{3} \| \d+\.\d{3} s \|/);
});

// proves: 6.1/status-detail
test("a long run shows rows, rate and time left, in status and in kick", async (context) => {
  const { script } = needsProgram(context, "script");
  await source.query("update account set balance = 7");
  proxy.slow(300_000);
  const command = `${process.execPath} ${join(root, "bin", "bucardo_ctl")} kick pepper 0`;
  const kicking = exec(script, ["-qec", `stty cols 120; ${command}`, "/dev/null"], {
    cwd: home.path,
    env: programEnv(home.path, { TERM: "xterm" }),
  });
  const progress = /new: fetching public\.account, [\d,]+ of 20,00\d rows, [\d,]+ rows\/s, \d+ s left/;
  const shown = await waitFor(async () => progress.exec(await ok("status pepper"))?.[0], {
    what: "status to show the progress",
    timeoutMs: 40_000,
  });
  expect(shown).toMatch(progress);
  expect(await ok("status")).toMatch(/ pepper +\| Fetching/);
  const json = JSON.parse(await ok("status pepper --json")) as { syncs: { targets: { running: { rowsDone: number; rate: number } }[] }[] };
  expect(json.syncs[0]?.targets[0]?.running).toMatchObject({ rowsDone: expect.any(Number) as number, rate: expect.any(Number) as number });
  proxy.resume();
  const { code, stdout } = await kicking;
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(progress);
  expect(stdout).toMatch(/\r *\rKick pepper: \[\d+\.\d{3} s\] DONE!\r\n$/);
  expect(await equalTables(source, target, TABLES)).toEqual([]);
});

test("a failed run is told in words, with what to do next, and without the values of rows", async () => {
  await target.query("alter table account add constraint small check (balance < 100)");
  await source.query("update account set balance = 4711 where id = 3");
  const { code, stdout, stderr } = await run("kick pepper 0");
  expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
  expect(stdout).toMatch(
    /KILLED!\n.*Start time:.*\n.*End time:.*\n +Error: .*small.*public\.account.*\n +Row: +public\.account \(id=3\)\n +Advice: /,
  );
  const status = await ok("status pepper");
  expect(status).toMatch(/Current state +: Stopped/);
  expect(status).toMatch(/Advice +: .*bucardo kick pepper/);
  for (const text of [stdout, status]) {
    expect(text).not.toMatch(/ at .*line \d|\.[jt]s:\d|PL\/|insert into|4711/);
  }
  await target.query("alter table account drop constraint small");
  await ok("kick pepper 0");
  expect(await equalTables(source, target, TABLES)).toEqual([]);
});

// proves: 6.1/start-stop-restart
test("stop returns when everything has stopped, and a run that goes on is finished first", async () => {
  const pid = Number(/MCP: (\d+)/.exec(await ok("status"))?.[1]);
  await source.query("update account set balance = 8");
  proxy.slow(1_000_000);
  await ok("kick pepper");
  await waitFor(async () => (await ok("status pepper")).includes("fetching public.account"), { what: "a run to go on" });
  expect(await ok("stop")).toMatch(/Bucardo stopped \(\d+\.\d{3} s\)\n$/);
  expect(isAlive({ pid, mark: "-" })).toBe(false);
  const sessions = "select from pg_stat_activity where application_name like 'bucardo%'";
  for (const database of [source, target]) expect(await database.query(sessions)).toEqual([]);
  expect(await equalTables(source, target, TABLES)).toEqual([]);
  expect(await ok("status")).toMatch(/Bucardo is not running .*stopped at[^]* pepper +\| Off/);
  proxy.resume();
});

// proves: 6.1/uninstall
test("remove sync leaves no trigger, table, function, schema and role", async () => {
  expect(await ok("remove sync pepper")).toBe('Removed sync "pepper"\n');
  expect(await traces()).toEqual(clean);
});
