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

type Case = readonly [line: string, says: readonly (string | RegExp)[]];

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

async function refused(expect: ExpectStatic, run: Home["run"], [text, says]: Case): Promise<void> {
  const { code, stdout, stderr } = await run(text);
  expect.soft({ code, stdout }, stderr).toEqual({ code: 1, stdout: "" });
  for (const wanted of says) expect.soft(stderr).toMatch(wanted);
  for (const unwanted of NEVER) expect.soft(`${stdout}${stderr}`).not.toMatch(unwanted);
  const lines = stderr.trimEnd().split("\n");
  expect.soft(new Set(lines).size, "said once").toBe(lines.length);
  expect.soft(await everything(), "nothing changed").toEqual(before);
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

const words: readonly Case[] = [
  ["", [/^Usage: bucardo /]],
  ["frobnicate", ['There is no command "frobnicate"', "bucardo help"]],
  ["strat", [/Did you mean "start"/]],
  ["add", ['"add" needs one more word', "sync"]],
  ["add frob x", ['There is no command "add frob"', "bucardo help add"]],
  ["add customcode x", ["not offered"]],
  ["list nothing", ['"list nothing"']],
  ["help frobnicate", ['"frobnicate"']],
  ["status --frob", ["no option --frob"]],
  ["status -x", ["no option -x"]],
  ["show nosuch", ['"nosuch"', "bucardo show all"]],
  ["set nosuch=1", ['"nosuch"', "bucardo show all"]],
  ["set log_level=loud", ["log_level must be one of", '"loud"']],
  ["set purge_interval=soon", ["purge_interval", '"soon"']],
  ["set", ["needs"]],
  ["message", ["needs TEXT"]],
  ["kick", ["needs SYNC"]],
  ["kick pepper 1.5", ["whole number", '"1.5"']],
  ["kick pepper -5", ["whole number", '"-5"']],
  ["ping soon", ["whole number", '"soon"']],
  ["start --dryrun", ["no dry run"]],
  ["status --sort=first", ["sort", '"first"']],
];

const names: readonly Case[] = [
  ...["kick nosuch 0", "status nosuch", "pause nosuch", "resume nosuch", "activate nosuch", "deactivate nosuch", "validate nosuch"].map(
    (line): Case => [line, ["nosuch", "bucardo list syncs"]],
  ),
  ...[
    "remove sync nosuch",
    "update sync nosuch onetimecopy=1",
    "compare nosuch",
    "accept nosuch",
    "inspect sync nosuch",
    "purge nosuch",
  ].map((line): Case => [line, ["nosuch", "bucardo list syncs"]]),
  ["kick pepper nosuch other 0", ['"nosuch", "other"']],
  ["remove db nosuch", ['"nosuch"', "bucardo list dbs"]],
  ["update db nosuch port=1", ['"nosuch"']],
  ["inspect db nosuch", ['"nosuch"']],
  ["delta nosuch", ["nosuch"]],
  ["remove dbgroup nosuch", ['"nosuch"']],
  ["update dbgroup nosuch A", ['"nosuch"']],
  ["add dbgroup g nosuch:source", ['Unknown database "nosuch"']],
  ["add dbgroup g A:president", ['"president" is no role']],
  ["remove relgroup nosuch", ['"nosuch"']],
  ["remove table nosuch", ['"nosuch"', "bucardo list tables"]],
  ["remove sequence nosuch", ['"nosuch"']],
  ["add table nosuch db=A", ["nosuch", '"A"']],
  ["add table goods db=A", ["did you mean good?"]],
  ["add sequence good db=A", ["good"]],
  ["add table good db=nosuch", ['"nosuch"']],
  ["inspect table nosuch", ['"nosuch"']],
];

const values: readonly Case[] = [
  ["add db x prot=1 dbname=y", ["no key prot", "port="]],
  ["add db x dbname=y host=h port=70000", ["whole number from 1 to 65535", '"70000"']],
  ["add db 1x dbname=y", ['"1x" cannot be the name of a database']],
  ["add db x", ["must supply a database name"]],
  ["add db x dbname=y type=mysql", ['"mysql"', "only PostgreSQL"]],
  ["add db x dbname=y conn='password=falsch99'", ["pass="]],
  ["add db x dbname=y status=sleeping", ["active or inactive"]],
  ["add sync s tables=good dbs=A,B autokick=maybe checktime=soon onetimecopy=7 frob=1", ["frob"]],
  ["add sync s tables=good dbs=A,B autokick=maybe checktime=soon onetimecopy=7", ["autokick", '"soon"', "from 0 to 2"]],
  ["update sync pepper onetimecopy=3", ["from 0 to 2", '"3"']],
  ["update sync pepper", ["Nothing to change"]],
  ["update sync pepper name=all", ['"all"']],
  ["add sync all tables=good dbs=A,B", ['"all"']],
  ["add sync s type=swap tables=good source=A targetdb=B", ["swap"]],
  ["add sync s tables=good dbs=A:source,B:source", [/^Cannot add sync "s": several sources/]],
  ["status --dbport=99999", ["dbport", '"99999"']],
];

const connections: readonly Case[] = [
  ["add db x dbname=postgres host=127.0.0.1 port=$SCRAM user=postgres pass=falsch99", ["password authentication failed", "pass"]],
  ["add db x dbname=postgres host=127.0.0.1 port=$SCRAM user=postgres", ["wants a password"]],
  ["add db x dbname=y host=127.0.0.1 port=1 user=postgres", ["127.0.0.1:1", "nothing listens there", "--force"]],
  ["add db x dbname=y host=127.0.0.1 port=$HTTP user=postgres", ["PostgreSQL", "port"]],
  ["add db x dbname=y host=no-such-host.invalid user=postgres", ["no-such-host.invalid"]],
  ["update db A dbname=nosuchdb", ['"nosuchdb" does not exist', "Nothing was changed"]],
  ["update db A port=1", ["nothing listens there", "Nothing was changed"]],
  ["list dbs --dbname=nosuchdb", ['"nosuchdb" does not exist', "bucardo install"]],
  ["list dbs --dbport=1", ["control database", "nothing listens there", ".bucardorc"]],
  ["list dbs --dbport=$HTTP", ["PostgreSQL"]],
  ["list dbs --dbport=$SCRAM --dbpass=falsch99", ["password authentication failed"]],
  ["status --dbname=$EMPTY", ["no Bucardo schema", "bucardo install"]],
  ["start --dbname=$EMPTY", ["no Bucardo schema", "bucardo install"]],
  ["status --dbname=$NEWER", ["version 9999", "newer"]],
  ["start --dbname=$NEWER", ["version 9999", "newer"]],
  ["upgrade --dbname=$NEWER", ["version 9999", "newer"]],
  ["start --dbport=1", ["nothing listens there"]],
];

const syncs: readonly Case[] = [
  ["add sync pepper tables=good dbs=A,B", ['"pepper" already exists']],
  ["add sync s tables=good dbs=A,nosuch", ['Unknown database "nosuch"']],
  ["add sync s tables=good dbs=A", ["no database of the sync is a target"]],
  ["add sync s tables=good", ["dbs="]],
  ["add sync s dbs=A,B", ["tables="]],
  ["add sync s tables=nosuch dbs=A,B", ['"nosuch"']],
  ["add sync s tables=seen dbs=A,B", ["seen"]],
  ["add sync s tables=good source=A targetdb=A", ['the same database "A"']],
  ["add sync s tables=keyless dbs=A,B", ["public.keyless", "PRIMARY KEY", "alter table"]],
  ["add sync s tables=good dbs=dead,B", ["dead", "nothing listens there"]],
  ["add sync s tables=good dbs=A,dead", ["dead", "nothing listens there"]],
  ["add sync s tables=good dbs=S,B", ["S", "standby"]],
  ["add sync s tables=good dbs=A,S", ["S", "standby"]],
  [
    "add sync s tables=good,keyless,absent,narrow,turned,rekeyed dbs=A,B",
    [
      /4 problems/,
      "public.keyless",
      /B: public\.absent/,
      /B: public\.narrow.*extra/,
      /B: public\.turned.*\bv\b/,
      /B: public\.rekeyed/,
      "Nothing was changed.",
    ],
  ],
  ["update sync pepper add table keyless,absent", ["public.keyless", /B: public\.absent/]],
  ["update sync pepper remove table nosuch", ['"nosuch"']],
];

const taken: readonly Case[] = [
  ["install --batch", ["already installed", "upgrade"]],
  [`add db A dbname=postgres`, ['"A" already exists']],
  ["remove db A", ["pepper"]],
  ["remove dbgroup pepper", ["pepper", "--force"]],
  ["remove relgroup pepper", ["pepper", "--force"]],
];

const files: readonly Case[] = [
  ["list dbs --bucardorc=nosuch.rc", ["nosuch.rc", "does not exist"]],
  ["list dbs --bucardorc=folder.rc", ["folder.rc", "cannot be read"]],
  ["list dbs --bucardorc=wrong.rc", ["wrong.rc, line 5", '"many"']],
  ["start --piddir=/proc/nowhere", ["/proc/nowhere", "--piddir"]],
  ["install --batch --piddir=/proc/nowhere --dbname=fresh_$EMPTY", ["/proc/nowhere"]],
  ["start --log-destination=/proc/nowhere", ["--log-destination"]],
];

describe.concurrent("refused in one message, and nothing changes", () => {
  test.for([...words, ...names, ...values])("%s", (bad, { expect }) => refused(expect, inProcess, bad));
  test.for([...connections, ...syncs, ...taken, ...files])("%s", ([text, says], { expect }) =>
    refused(expect, home.run, [fill(text), says]),
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
