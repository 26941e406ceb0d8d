import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isAlive } from "../../src/daemon/pid-file.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import type { Finished } from "../harness/exec.ts";
import { createPgbench } from "../harness/pgbench.ts";
import { runProgram, spawnProgram } from "../harness/program.ts";
import { scratch, type Scratch } from "../harness/scratch.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";

let home: Scratch;
let control: TestDatabase;
let source: TestDatabase;
let target: TestDatabase;

function bucardo(line: string, input?: string): Promise<Finished> {
  return runProgram(line.split(" "), { cwd: home.path, program: "bucardo_ctl", ...(input === undefined ? {} : { input }) });
}

function rc(port: number): Promise<void> {
  const { host } = control.server;
  const text = `dbhost=${host}\ndbport=${port}\ndbname=${control.name}\ndbuser=postgres\npiddir=${join(home.path, "pid")}\nlogdest=${home.path}\n`;
  return writeFile(join(home.path, ".bucardorc"), text);
}

beforeAll(async () => {
  home = await scratch();
  const server = await sharedServer(15);
  [control, source, target] = [await createDatabase(server), await createDatabase(server), await createDatabase(server)];
  for (const database of [source, target]) await createPgbench(await database.client());
  await rc(server.port);
  const at = `host=${server.host} port=${server.port} user=postgres`;
  const lines = [
    "install --batch",
    `add db ${source.name} name=old ${at}`,
    `add db ${target.name} name=new ${at}`,
    "add sync pepper type=pushdelta source=old targetdb=new tables=pgbench_accounts ping=false",
  ];
  for (const line of lines) expect(await bucardo(line), line).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await bucardo("stop").catch(() => undefined);
  await home[Symbol.asyncDispose]();
  for (const database of [control, source, target]) await database[Symbol.asyncDispose]();
});

const pidFile = async (): Promise<number> => Number((await readFile(join(home.path, "pid", "bucardo.mcp.pid"), "utf8")).split("\n")[0]);

// proves: 6.1/ping, 6.1/kick-wait
test("before start: kick says at once that no daemon runs, status and ping too, stop is content", async () => {
  const kick = await bucardo("kick pepper 0");
  expect(kick.code).toBe(3);
  expect(kick.stderr).toContain("No daemon is running");
  expect(kick.stderr).toMatch(/`bucardo(_ctl)? start`/);
  expect((await bucardo("status")).stdout).toContain("has never been started");
  expect(await bucardo("ping")).toMatchObject({ code: 1, stdout: "CRITICAL: No daemon is running\n" });
  expect(await bucardo("stop")).toMatchObject({ code: 0, stdout: "No daemon is running\n" });
});

// proves: 6.1/start-stop-restart, 6.1/reason-log, 6.1/status, 6.1/status-detail, 6.1/status-json, 6.1/ping, 6.1/message, 6.1/pid-files, 6.1/log-destinations, 6.4/files, 6.4/state-words
test("start returns when it runs, status shows it, a kick carries the rows, stop returns when it is gone", async () => {
  await source.query("update pgbench_accounts set abalance = 7 where aid <= 1000");
  const started = await bucardo("start because of the test");
  expect(started, started.stderr).toMatchObject({ code: 0, stderr: "" });
  const pid = await pidFile();
  expect(started.stdout).toBe(`Bucardo is running, PID ${pid}\nLog: ${join(home.path, "log.bucardo")}\n`);

  const kicked = await bucardo("kick pepper 0");
  expect(kicked, kicked.stderr).toMatchObject({ code: 0, stderr: "" });
  expect(kicked.stdout).toMatch(/^Kick pepper: \[\d+\.\d{3} s\] DONE!\n$/);
  expect(await equalTables(source, target, ["pgbench_accounts"])).toEqual([]);

  const table = (await bucardo("status")).stdout;
  expect(table).toContain(`PID of Bucardo MCP: ${pid}`);
  expect(table).toMatch(/pepper +\| (Good|Empty) +\| \d\d:\d\d:\d\d\.\d{3} +\| \d+\.\d{3} s/);
  const block = (await bucardo("status pepper 0")).stdout;
  expect(block).toMatch(/Sync name +: pepper/);
  expect(block).toMatch(/Target new: Idle, lag /);
  expect(JSON.parse((await bucardo("status --json")).stdout)).toMatchObject({
    alive: true,
    daemon: { pid },
    syncs: [{ word: expect.stringMatching(/Good|Empty/) }],
  });

  expect(await bucardo("ping 5")).toMatchObject({ code: 0, stdout: `OK: Got response from PID ${pid}\n` });
  expect(await bucardo("message hello there")).toMatchObject({ code: 0 });
  await waitFor(async () => (await readFile(join(home.path, "log.bucardo"), "utf8")).includes("hello there"), {
    what: "the message in the log",
  });

  const second = await bucardo("start");
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`pid ${pid}`);

  const stopped = await bucardo("stop enough");
  expect(stopped).toMatchObject({ code: 0, stderr: "" });
  expect(stopped.stdout).toMatch(/^Creating .*fullstopbucardo \.\.\. Done\nBucardo stopped \(\d+\.\d{3} s\)\n$/);
  expect(isAlive({ pid, mark: "-" })).toBe(false);
  expect((await bucardo("status")).stdout).toMatch(/Bucardo is not running[^]*pepper +\| Off/);
  const reasons = await readFile(join(home.path, "pid", "bucardo.restart.reason.txt"), "utf8");
  expect(reasons).toMatch(/\| start \| because of the test\n.*\| stop \| enough\n$/);
});

// proves: 6.3/crash-safety
test("after kill -9 the next start takes over: pid file and lease of the dead do not stop it", async () => {
  expect(await bucardo("start")).toMatchObject({ code: 0 });
  const killed = await pidFile();
  process.kill(killed, "SIGKILL");
  const again = await bucardo("start");
  expect(again, again.stderr).toMatchObject({ code: 0 });
  expect(await pidFile()).not.toBe(killed);
  expect(await bucardo("kick pepper 20")).toMatchObject({ code: 0 });
  const restarted = await bucardo("restart");
  expect(restarted, restarted.stderr).toMatchObject({ code: 0 });
  expect(await bucardo("stop")).toMatchObject({ code: 0 });
});

test("start says why it cannot: no control database, a foreign port, a directory that cannot be", async () => {
  await rc(1);
  expect(await bucardo("start")).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing listens there") });
  await rc(control.server.port);
  const nowhere = await bucardo("start --log-destination=/proc/nowhere");
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining("--log-destination") });
  expect(await bucardo("stop")).toMatchObject({ code: 0, stdout: "No daemon is running\n" });
});

// proves: 6.1/reopen, 6.1/signals
test("in the foreground: HUP and USR2 are understood, moved logs are opened again, TERM ends it in order", async () => {
  const log = join(home.path, "log.bucardo");
  const said = (text: string): Promise<unknown> =>
    waitFor(async () => (await readFile(log, "utf8")).includes(text), { what: `"${text}" in the log` });
  await using running = await spawnProgram(["daemon", "run"], { cwd: home.path });
  await waitFor(async () => (await bucardo("ping 0")).code === 0, { what: "the daemon to answer" });
  await rename(log, `${log}.1`);
  expect(await bucardo("reopen")).toMatchObject({ code: 0 });
  await bucardo("message after reopen");
  await said("after reopen");
  await rename(log, `${log}.2`);
  running.kill("SIGUSR2");
  running.kill("SIGHUP");
  await waitFor(() => readFile(log, "utf8").then(() => true), { what: "the log to be there again" });
  await bucardo("message after USR2");
  await said("after USR2");
  running.kill("SIGTERM");
  expect(await running.ended()).toMatchObject({ code: 0, signal: null });
});
