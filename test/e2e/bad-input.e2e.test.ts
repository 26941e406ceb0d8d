import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, type ExpectStatic } from "vitest";
import { createDatabase, onServer, type TestDatabase } from "../harness/database.ts";
import { footprint } from "../harness/footprint.ts";
import { startServer, type Server } from "../harness/server.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { caughtUp, startStandby } from "../harness/standby.ts";
import { connections, files, names, syncs, taken, values, words, type Case } from "./bad-input-cases.ts";
import { keysOf, openHome, rcText, split, type Home } from "./home.ts";
import { line } from "../cli/line.ts";

const SECRET = "geheim-4711";
const PLAIN = `
  create table good (id int primary key, v text);
  create table other (id int primary key);
  create table one (id int primary key, a int);
  create sequence counter;
  create view seen as select 1 as id;`;
const SOURCE = `${PLAIN}
  create table keyless (a int);
  create table absent (id int primary key);
  create table narrow (id int primary key, extra text);
  create table turned (id int primary key, v int);
  create table rekeyed (id int primary key, other int not null)`;
const TARGET = `${PLAIN}
  create table keyless (a int);
  create table narrow (id int primary key);
  create table turned (id int primary key, v text[]);
  create table rekeyed (id int not null, other int primary key)`;

let home: Home;
let control: TestDatabase, empty: TestDatabase, newer: TestDatabase, source: TestDatabase, target: TestDatabase;
let locked: Server, standby: Server;
let http: HttpServer;
let before: string[];
const opened: AsyncDisposable[] = [];
const keep = <T extends AsyncDisposable>(one: T): T => (opened.unshift(one), one);
const everything = async (): Promise<string[]> => (await Promise.all([control, newer, source, target].map(footprint))).flat();

beforeAll(async () => {
  const own = startOwn();
  const server = await sharedServer(16);
  const fresh = async (): Promise<TestDatabase> => keep(await createDatabase(server));
  [control, empty, newer, source, target] = [await fresh(), await fresh(), await fresh(), await fresh(), await fresh()];
  await source.query(SOURCE);
  await target.query(TARGET);
  http = createServer((_request, response) => response.end("hello")).listen(0, "127.0.0.1");
  home = keep(await openHome(control));
  await writeFile(join(home.path, "broken.rc"), rcText(control, ["this is no line of it", "frobnicate = 1"]));
  await writeFile(join(home.path, "wrong.rc"), rcText(control, ["dbport=many"]));
  await mkdir(join(home.path, "folder.rc"));
  await home.ok("install --batch");
  await home.ok("install --batch", { env: { BUCARDO_DBNAME: newer.name } });
  await newer.query("insert into bucardo.schema_version (version, name) values (9999, 'from the future')");
  await home.ok(`add db A ${keysOf(source)}`);
  await home.ok(`add db B ${keysOf(target)}`);
  await own;
  await home.ok(`add db S dbname=postgres host=127.0.0.1 port=${standby.port} user=postgres pass=${SECRET}`);
  await home.ok(`add db P dbname=postgres host=127.0.0.1 port=${locked.port} user=postgres pass=${SECRET}`);
  await home.run("add db dead dbname=x host=127.0.0.1 port=1 user=postgres --force");
  await home.ok("add sync pepper tables=good dbs=A:source,B:target status=inactive");
  before = await everything();
}, 120_000);

/** A server that wants a password, and its standby. */
async function startOwn(): Promise<void> {
  locked = keep(await startServer({ major: 16, auth: "scram-sha-256", hba: ["host replication all 127.0.0.1/32 trust"] }));
  await onServer(locked, (admin) => admin.query(`alter role postgres password '${SECRET}'`));
  standby = keep(await startStandby(locked));
  await caughtUp(locked, standby);
}
afterAll(async () => {
  http?.close();
  for (const one of opened) await one[Symbol.asyncDispose]();
});

/** What nobody wants to read, whatever goes wrong. */
const NEVER = [
  /\n\s+at /,
  /\.[jt]s:\d+/,
  /\/\* bucardo:/,
  /\b(select|insert into|delete from) /i,
  /undefined|\[object|NaN/,
  SECRET,
  "falsch99",
];

async function refused(check: ExpectStatic, run: Home["run"], [text, says]: Case): Promise<void> {
  const { code, stdout, stderr: said } = await run(text);
  // The cases run side by side, and commands that change definitions take turns.
  const stderr = said.replace(/^Waiting: another command is changing definitions\.\n/, "");
  check.soft({ code, stdout }, stderr).toEqual({ code: 1, stdout: "" });
  for (const wanted of says) check.soft(stderr).toMatch(wanted);
  for (const unwanted of NEVER) check.soft(`${stdout}${stderr}`).not.toMatch(unwanted);
  const lines = stderr.trimEnd().split("\n");
  check.soft(new Set(lines).size, "said once").toBe(lines.length);
  check.soft(await everything(), "nothing changed").toEqual(before);
}

/** The same program without a process of its own: for what never leaves the command line and the control database. */
async function inProcess(text: string): ReturnType<Home["run"]> {
  const { code, out, err } = await line(split(text), { home: home.path });
  return { code, signal: null, stdout: out, stderr: err };
}

/** Names that are only known now. */
function fill(text: string): string {
  const { port } = http.address() as AddressInfo;
  return text
    .replace("$HTTP", String(port))
    .replace("$SCRAM", String(locked.port))
    .replace("$EMPTY", empty.name)
    .replace("$NEWER", newer.name);
}

describe.concurrent("refused in one message, and nothing changes", () => {
  test.for([...words, ...names, ...values])("%s", (bad, context) => refused(context.expect, inProcess, bad));
  test.for([...connections, ...syncs, ...taken, ...files])("%s", ([text, says], context) =>
    refused(context.expect, home.run, [fill(text), says]),
  );
});

describe("what a daemon is needed for, or stands against", () => {
  const late = async (work: Promise<{ code: number | null; stdout: string; stderr: string }>, seconds: number) => {
    const began = performance.now();
    const { code, stdout, stderr } = await work;
    expect((performance.now() - began) / 1000).toBeLessThan(seconds);
    return { code, stdout, stderr };
  };
  const noDaemon = "No daemon is running for this control database.\n`bucardo start` starts it.\n";

  test("without one: said at once, or content", async () => {
    await home.ok("activate pepper");
    expect(await late(home.run("kick pepper 0"), 15)).toEqual({ code: 3, stdout: "", stderr: noDaemon });
    expect(await inProcess("reload")).toMatchObject({ code: 1, stdout: "", stderr: noDaemon });
    expect(await inProcess("reopen")).toMatchObject({ code: 1, stdout: "", stderr: noDaemon });
    expect(await inProcess("ping")).toMatchObject({ code: 1, stdout: "CRITICAL: No daemon is running\n", stderr: "" });
    expect(await home.run("stop")).toMatchObject({ code: 0, stdout: "No daemon is running\n", stderr: "" });
    expect(await home.run("stop --dbport=1 --piddir=pid")).toMatchObject({ code: 0, stdout: "No daemon is running\n", stderr: "" });
    await home.ok("deactivate pepper");
  });

  test("an rc file with a line that means nothing: told once, by line, and the rest counts", async () => {
    const { code, stdout, stderr } = await home.run("list dbs A --bucardorc=broken.rc");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^Database: A .*\n$/) as string });
    expect(stderr).toMatch(/^WARNING: .*broken\.rc, line 5: .*\nWARNING: .*broken\.rc, line 6: .*"frobnicate".*\n$/);
  });

  // proves: 6.1/several-daemons, 6.1/start-stop-restart
  test("with one: no second, wherever it is started; what may not run is not kicked", async () => {
    const started = await home.ok("start");
    const pid = /PID (\d+)/.exec(started)?.[1] ?? "";
    try {
      expect(await home.run("start")).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(`pid ${pid}`) as string });
      for (const command of ["start", "daemon run"]) {
        const second = await home.run(`${command} --piddir=other`);
        expect(second, command).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(`already owns this control database: pid ${pid} `) as string,
        });
      }
      expect(await inProcess("uninstall --batch")).toMatchObject({ code: 1, stderr: expect.stringContaining("bucardo stop") as string });
      expect(await inProcess("kick pepper 0")).toMatchObject({ code: 0, stdout: 'Cannot kick inactive sync "pepper"\n', stderr: "" });
      await home.ok("activate pepper");
      await home.ok("pause pepper");
      expect(await inProcess("kick pepper 0")).toMatchObject({ code: 0, stdout: 'Cannot kick paused sync "pepper"\n', stderr: "" });
      expect((await inProcess("status pepper")).stdout).toMatch(/Current state +: Paused/);
      expect(await inProcess("kick pepper nosuch")).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining('"nosuch"') as string,
      });
      expect((await home.run("ping")).stdout).toContain(`PID ${pid}`);
    } finally {
      await home.ok("stop");
    }
  });
});
