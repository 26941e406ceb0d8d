import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { line } from "../cli/line.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { keysOf, openHome, split, type Home } from "./home.ts";

/** What versions 4 and 5 did with a living daemon; one daemon, and each test goes on where the one before it ended. */
let home: Home;
let control: TestDatabase, A: TestDatabase, B: TestDatabase;
const opened: AsyncDisposable[] = [];
const keep = <T extends AsyncDisposable>(one: T): T => (opened.unshift(one), one);
const until = (condition: () => unknown, what: string) => waitFor(condition, { what, timeoutMs: 30_000 });
const file = (name: string): Promise<string> => readFile(join(home.path, name), "utf8");

/** In this process, which is quicker. */
const run = (command: string, env: NodeJS.ProcessEnv = {}) => line(split(command), { home: home.path, env });
const ok = async (command: string, env: NodeJS.ProcessEnv = {}): Promise<string> => {
  const { code, out, err } = await run(command, env);
  expect({ command, code, err }).toEqual({ command, code: 0, err: "" });
  return out;
};
const has = async (at: TestDatabase, id: number): Promise<boolean> => (await at.query("select from item where id = $1", [id])).length === 1;

beforeAll(async () => {
  const server = await sharedServer(17);
  const fresh = async (): Promise<TestDatabase> => keep(await createDatabase(server));
  [control, A, B] = [await fresh(), await fresh(), await fresh()];
  for (const database of [A, B])
    await database.query("create table item (id int primary key, v text); create table other (id int primary key)");
  home = keep(await openHome(control, ["http=off"]));
  await ok("install --batch");
  for (const [name, database] of Object.entries({ A, B })) await ok(`add db ${name} ${keysOf(database)}`);
  await ok("add sync one tables=item dbs=A:source,B:target autokick=off");
  await ok("add sync two tables=other dbs=A:source,B:target");
  await ok("set log_timer_format='%Y at %H:%M' warning_file=warnings");
  await writeFile(join(home.path, "log.bucardo.old"), "old\n");
}, 120_000);

afterAll(async () => {
  await home.run("stop").catch(() => undefined);
  for (const one of opened) await one[Symbol.asyncDispose]();
});

// proves: 6.1/log-destinations, 6.1/log-separate, 6.1/log-extension-clean, 6.1/log-form, 6.1/log-structured, 6.1/extra-name, 6.1/quickstart
test("logs to a directory and a file, with extension, old ones deleted, one per sync, in the form that the settings say", async () => {
  const started = await home.ok(
    `start --log-destination=${home.path} --log-destination=${home.path}/own.log --log-ext=x --log-sep --log-clean --log-showline --extra-name=shop --quickstart`,
  );
  expect(started).toContain(`Log: ${home.path}/log.bucardo.x, ${home.path}/own.log.x\n`);
  await A.query("insert into item values (1, 'logged')");
  await ok("kick one 0");
  await ok("message 'here I am'");
  await until(async () => (await file("log.bucardo.x")).includes("here I am"), "the message in the log");
  await until(async () => (await file("log.bucardo.x.one")).includes("one:"), "the log of the sync");
  expect(await file("log.bucardo.x")).toMatch(/^\(\d+\) \[\d{4} at \d\d:\d\d\] #[\w-]+\.js:\d+ INFO /m);
  expect(await file("own.log.x")).toBe(await file("log.bucardo.x"));
  expect(await file("log.bucardo.x.one")).not.toContain("two:");
  await expect(file("log.bucardo.old")).rejects.toThrow("ENOENT");
  const pid = Number((await file("pid/bucardo.mcp.pid")).split("\n")[0]);
  expect(await readFile(`/proc/${pid}/cmdline`, "utf8")).toContain("shop");
});

// proves: 6.4/notify-kick, 6.4/notify-out, 6.4/notify-others
test("NOTIFY: kicks by the names of both versions, on the control database and on a source; what is done is told; nothing else is obeyed", async () => {
  const ear = await control.client();
  const heard: string[] = [];
  ear.on("notification", ({ channel }) => heard.push(channel));
  for (const channel of [
    "bucardo_syncdone_one",
    "bucardo_syncerror_nosuch",
    "bucardo_mcp_pong",
    "bucardo_reloaded_sync_one",
    "bucardo_deactivated_sync_one",
  ])
    await ear.query(`listen ${channel}`);
  const cases: [TestDatabase, string][] = [
    [control, "notify bucardo, 'kick_sync_one'"],
    [control, "notify bucardo_kick_sync_one"],
    [A, "notify bucardo, 'kick_sync_one'"],
    [A, "notify bucardo_kick_sync_one"],
  ];
  for (const [index, [at, notify]] of cases.entries()) {
    await A.query(`insert into item values (${100 + index}, 'kicked')`);
    // Nobody tells when the daemon has begun to listen there.
    const kicked = async (): Promise<boolean> => {
      await at.query(notify);
      return await has(B, 100 + index);
    };
    await until(kicked, `${notify} on ${at.name} to kick`);
  }
  await until(() => heard.includes("bucardo_syncdone_one"), "the end of the run to be told");
  await control.query("notify bucardo, 'kick_sync_nosuch'");
  await until(() => heard.includes("bucardo_syncerror_nosuch"), "the unknown sync to be told");
  for (const payload of ["mcp_fullstop", "pause_sync_one", "deactivate_sync_one"]) await control.query(`notify bucardo, '${payload}'`);
  await ok("ping");
  await ok("reload sync one");
  await until(() => heard.includes("bucardo_mcp_pong") && heard.includes("bucardo_reloaded_sync_one"), "ping and reload to be told");
  expect(heard).not.toContain("bucardo_deactivated_sync_one");
  expect(await ok("list sync one")).toContain("[Active]");
  await ok("set notify_kicks=off");
  await ok("reload config 30");
  await control.query("notify bucardo, 'kick_sync_nosuch'");
  const errors = heard.filter((channel) => channel === "bucardo_syncerror_nosuch").length;
  await ok("ping");
  await until(() => heard.filter((channel) => channel === "bucardo_mcp_pong").length === 2, "the second ping to be told");
  expect(heard.filter((channel) => channel === "bucardo_syncerror_nosuch")).toHaveLength(errors);
  await ok("set notify_kicks=on");
});

// proves: 6.4/notify-out
test("NOTIFY of a run that failed and is tried again by itself, and of definitions that cannot be read", async () => {
  const ear = await control.client();
  const heard: string[] = [];
  ear.on("notification", ({ channel }) => heard.push(channel));
  await ear.query("listen bucardo_syncsleep_one; listen bucardo_synckill_one; listen bucardo_reload_error_sync_one");
  await B.query(`create function stumble() returns trigger language plpgsql as $$ begin raise exception using errcode = '40001'; end $$;
    create trigger stumble before insert on item for each row execute procedure stumble(); alter table item enable always trigger stumble`);
  await A.query("insert into item values (300, 'late')");
  await ok("kick one");
  await until(() => heard.includes("bucardo_syncsleep_one"), "the failed run to be told");
  await B.query("drop function stumble() cascade");
  // It may say that it waits for the next attempt.
  expect((await run("kick one 0")).code).toBe(0);
  expect(await has(B, 300)).toBe(true);
  const settings =
    "insert into bucardo.sync_setting (sync, name, value) select id, 'alert_lag', 'rubbish' from bucardo.sync where name = 'one'";
  await control.query(settings);
  expect(await run("reload one")).toMatchObject({ code: 1, out: "Reload of sync one failed\n" });
  await until(() => heard.includes("bucardo_reload_error_sync_one"), "the failed reload to be told");
  await control.query("delete from bucardo.sync_setting");
  await ok("reload config 30");
  expect(heard).not.toContain("bucardo_synckill_one");
});

// proves: 6.1/kick-type, 6.1/kick, 6.1/activate
test("kick all by type, as version 4; activate and deactivate with a number", async () => {
  expect(await ok("kick all delta active 20")).toMatch(/^Kick one: .*DONE!\nKick two: .*DONE!\n$/);
  expect(await ok("kick all swap 20")).toBe("");
  expect(await ok("kick all copy")).toBe("");
  expect(await ok("deactivate two 10")).toBe("Deactivating sync two...OK\n");
  expect(await ok("kick all inactive 5")).toBe('Cannot kick inactive sync "two"\n');
  expect(await ok("activate two 0")).toBe("Activating sync two...OK\n");
});

// proves: 6.1/status-format, 6.4/syncrun, 6.3/history
test("forms of status, and the history by its old name", async () => {
  await A.query("insert into item select n, '' from generate_series(2001, 3234) n");
  await ok("kick one 0");
  expect(await ok("status one --tsep=,")).toMatch(/Rows deleted\/upserted +: 0 \/ 1,234\n/);
  expect(await ok("status --compress")).toMatch(/\n one ?\|Good ?\|\d\d:\d\d:\d\d\.\d{3}\|\d+\.\d{3}s/);
  expect(await ok("status", { BUCARDO_SHORTDATEFORMAT: '"at" HH24:MI' })).toMatch(/ one +\| Good +\| at \d\d:\d\d +\|/);
  expect(await ok("status --sort=-1")).toMatch(/\n two [^]*\n one /);
  expect(await control.one("select inserts, deletes, status, lastgood from bucardo.syncrun where sync = 'one' and lastgood")).toEqual({
    inserts: "1234",
    deletes: "0",
    status: "Good",
    lastgood: true,
  });
});

// proves: 6.3/force-lock, 6.2/limits
test("the lock file makes one run lock its tables; a limit lets one run wait for another", async () => {
  const reader = await B.client();
  await reader.query("begin; lock table item in share row exclusive mode");
  const waiting = () => control.query("select from bucardo.run where ended_at is null");
  await ok("update db B targetlimit=1");
  await ok("reload config 30");
  await ok("kick two 20");
  await writeFile(join(home.path, "pid", "bucardo-force-lock-one"), "exclusive\n");
  await ok("kick one");
  const locked = "select from pg_locks l where not l.granted and l.mode = 'ExclusiveLock' and l.relation = 'item'::regclass";
  await until(async () => (await B.query(locked)).length === 1, "the run to wait for its lock");
  expect(await run("kick two 1")).toMatchObject({ code: 1, err: "Timed out!\n" });
  expect(await waiting()).toHaveLength(1);
  await reader.query("rollback");
  await ok("kick two 20");
  await ok("kick one 20");
  await expect(file("pid/bucardo-force-lock-one")).rejects.toThrow("ENOENT");
});

// proves: 6.1/log-syslog, 6.1/exit-on-nosync, 6.1/stop-file
test("syslog by the machine's logger; a daemon without a sync ends when told to; a stop file ends it", async () => {
  await writeFile(join(home.path, "pid", "fullstopbucardo"), "enough\n");
  await until(async () => !(await run("ping 1")).out.startsWith("OK"), "the stop file to end the daemon");
  await until(async () => (await run("status")).out.includes("not running"), "it to be gone");
  const bin = join(home.path, "logger");
  await writeFile(bin, `#!/bin/sh\necho "$@" > ${home.path}/arguments\nexec cat >> ${home.path}/syslog\n`, { mode: 0o755 });
  await ok("set syslog_facility=local3");
  await ok("deactivate all");
  const env = { PATH: `${home.path}:${process.env["PATH"] ?? ""}` };
  await home.run("start --log-destination=syslog --exit-on-nosync", { env });
  await until(async () => (await file("syslog")).includes("no sync is active (--exit-on-nosync)"), "the reason in syslog");
  expect(await file("syslog")).toMatch(/^<158>\(\d+\) .*INFO Bucardo .* runs with 0 active syncs/m);
  expect(await file("arguments")).toContain("-t bucardo");
  await until(async () => (await run("status")).out.includes("not running"), "the daemon to be gone");
});
