import { afterAll, beforeAll, expect, test } from "vitest";
import type { Client } from "pg";
import { runProgram } from "../harness/program.ts";
import { waitFor } from "../harness/wait.ts";
import { openSite, type Site } from "./site.ts";

const schema = `
  create table t1 (id int primary key, v text);
  create table t2 (a int, b text, primary key (a, b));
  create table nokey (x int);
  create table differs (id int primary key, v text, w date);
  create sequence s1;
`;

let site: Site;
const source = (): Site["databases"][number] => site.databases[0]!;

beforeAll(async () => {
  site = await openSite({ majors: [12, 18], schema });
  await site.databases[1]!.query("alter table differs alter v type bytea using null, drop w; drop table t2; create table t2x (a int)");
  await site.ok("add db A $A");
  await site.ok("add db B $B");
  await site.ok("set lock_timeout='100 ms' lock_attempts=2");
});
afterAll(() => site[Symbol.asyncDispose]());

/** What of ours is on the source, and what is registered. */
async function traces(): Promise<object> {
  const objects = await source().query(
    "select tgname::text as name from pg_trigger where not tgisinternal union all select nspname::text from pg_namespace where nspname = 'bucardo' order by 1",
  );
  const rows = await site.control.query(
    "select 'sync ' || name as name from bucardo.sync union all select 'relgroup ' || name from bucardo.relgroup union all select 'dbgroup ' || name from bucardo.dbgroup union all select 'relation ' || relation_name from bucardo.relation order by 1",
  );
  return { objects, rows };
}

const NOTHING = { objects: [], rows: [] };

// proves: 6.2/strict-checking
test("every problem in one report, and nothing is changed", async () => {
  const { code, out, err } = await site.run("add sync bad tables=t1,t2,nokey,differs,tt1 dbs=A:source,B,Nope --json");
  expect({ code, out }).toEqual({ code: 1, out: "" });
  const { error } = JSON.parse(err) as { error: { code: string; problems: { db?: string; table?: string; what: string }[] } };
  expect(error.code).toBe("sync-invalid");
  expect(error.problems.map(({ db, table, what }) => [db, table, what].filter(Boolean).join(": "))).toEqual([
    'Unknown database "Nope"',
    'Could not find a relation named "tt1"',
    expect.stringMatching(/^B: public.differs: .*v.*text.*bytea/),
    "B: public.differs: column w does not exist on B",
    expect.stringMatching(/^A: public.nokey: no PRIMARY KEY/),
    "B: public.t2: does not exist on B; public.t2x does",
  ]);
  expect(await traces()).toEqual(NOTHING);
});

test.each([
  ["add sync x type=odd source=A targetdb=B tables=t1", "bad-value"],
  ["add sync x tables=t1 dbs=A:source,B:source conflict_strategy=newest", "sync-invalid"],
  ["add sync x tables=t1 dbs=A:target,B:target", "sync-invalid"],
  ["add sync x tables=t1", "sync-invalid"],
  ["add sync x dbs=A,B", "sync-invalid"],
  ["add sync x tables=t1 dbgroup=nosuch", "sync-invalid"],
  ["add sync swap tables=t1 dbs=A,B", "sync-invalid"],
  ["add sync x source=A tables=t1", "sync-invalid"],
  ["add sync x source=Z targetdb=B tables=t1", "sync-invalid"],
  ["add sync x tables=t1 dbs=A,B checktime=soon onetimecopy=7 autokick=maybe", "bad-value"],
])("%s is refused and changes nothing", async (command, code) => {
  const { code: exit, err } = await site.run(`${command} --json`);
  expect({ exit, code: (JSON.parse(err) as { error: { code: string } }).error.code }).toEqual({ exit: 1, code });
  expect(await traces()).toEqual(NOTHING);
});

test("the same database under two names cannot be source and target", async () => {
  await site.ok("add db Again $A");
  expect((await site.run("add sync x tables=t1 dbs=A,Again")).err).toContain("it is the same database as A");
  await site.ok("remove db Again");
});

// proves: 6.1/dryrun-confirm
test("--dryrun checks everything and leaves no trace, also not on the source", async () => {
  expect(await site.ok("add sync dry tables=t1 dbs=A,B --dryrun")).toMatch(/Added sync "dry"\nDry run: nothing was changed\.\n$/);
  expect((await site.run("add sync dry tables=nokey dbs=A,B --dryrun")).code).toBe(1);
  expect(await traces()).toEqual(NOTHING);
});

// proves: 6.2/implicit, 6.2/lifetime-maxkicks, 6.1/list
test("version 5: groups made, reused when identical, or named; legacy settings kept and listed", async () => {
  expect(await site.ok("add sync one tables=t1,s1 dbs=A,B conflict_strategy=latest lifetime='1 hour' stayalive=1 checktime='90 s'")).toBe(
    'Created a new relgroup named "one"\n  Added sequence "public.s1"\n  Added table "public.t1"\nCreated a new dbgroup named "one"\nAdded sync "one"\n',
  );
  expect(await site.ok("add sync two tables=t1,s1 dbs=A:source,B:target")).toBe(
    'Using existing relgroup "one"\nUsing existing dbgroup "one"\nAdded sync "two"\n',
  );
  expect(await site.ok("add sync three herd=hands tables=t1 dbgroup=crowd dbs=A,B status=inactive")).toBe(
    'Created a new relgroup named "hands"\nCreated a new dbgroup named "crowd"\nAdded sync "three"\n',
  );
  expect(await site.ok("add sync four herd=t1 dbs=crowd")).toBe(
    'Using existing relgroup "hands"\nUsing existing dbgroup "crowd"\nAdded sync "four"\n',
  );
  expect(await site.ok("list syncs inactive")).toBe('Sync "three"  Relgroup "hands"  DB group "crowd" A:source B:target  [Inactive]\n');
  expect(JSON.parse(await site.ok("list sync one --json"))).toMatchObject({
    syncs: [
      { checktime: 90, conflict_strategy: "latest", legacy: { lifetime: "1 hour", stayalive: "1" }, relations: ["public.s1", "public.t1"] },
    ],
  });
  expect(await site.ok("remove sync all")).toBe('Removed sync "four"\nRemoved sync "one"\nRemoved sync "three"\nRemoved sync "two"\n');
  await clearRegistrations();
});

test("a table that another session has locked: named blocker, nothing left behind, and writers never waited for us", async () => {
  const blocker = await source().client({ application_name: "nightly report" });
  await blocker.query("begin; insert into t1 values (1, 'x')");
  const { pid } = (await blocker.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]!;
  const writer = await source().client({ statement_timeout: 3000 });
  const adding = site.run("add sync busy tables=t1 dbs=A,B");
  const written = write(writer, adding);
  const { code, err } = await adding;
  const rows = await written;
  await blocker.query("rollback"); // before anything is judged, or a failure would lock out the other tests
  expect(code).toBe(1);
  expect(err).toMatch(new RegExp(`^Waiting: public.t1 is locked by pid ${pid} \\(nightly report, user postgres, idle in transaction for`));
  expect(err).toMatch(new RegExp(`^cannot add triggers: public.t1 is locked by pid ${pid}`, "im"));
  expect(rows).toBeGreaterThan(0);
  expect(await traces()).toEqual(NOTHING);
  await site.ok("add sync busy tables=t1 dbs=A,B");
  await site.ok("remove sync busy");
  await clearRegistrations();
});

test("a removal that another session stops half way says so, can be repeated, and never comes back without a copy", async () => {
  await site.ok("add sync half tables=t1 dbs=A,B");
  const blocker = await source().client();
  await blocker.query("begin; insert into t1 values (-1, 'x')");
  const { code, err } = await site.run("remove sync half");
  await blocker.query("rollback");
  expect(code).toBe(1);
  expect(err).toContain("half removed");
  expect(await site.ok("list sync half")).toContain("capture is not complete");
  await site.ok("validate half");
  expect(JSON.parse(await site.ok("list sync half --json"))).toMatchObject({
    syncs: [{ status: "inactive", onetimecopy: 1, ready: true }],
  });
  await site.ok("remove sync half");
  await clearRegistrations();
});

test("two commands that change definitions wait for each other", async () => {
  await Promise.all([1, 2, 3].map((number) => site.ok(`add sync same${number} tables=t1 dbs=A,B`)));
  expect(await site.ok("validate all")).toBe([1, 2, 3].map((number) => `Validating sync same${number} ... OK\n`).join(""));
  await site.ok("remove sync all");
  await clearRegistrations();
});

/** Rows written while something else goes on. */
async function write(client: Client, until: Promise<unknown>): Promise<number> {
  const state = { done: false, rows: 0 };
  void until.then(() => (state.done = true));
  while (!state.done) await client.query("insert into t1 values ($1, 'w') on conflict do nothing", [1000 + state.rows++]);
  return state.rows;
}

// proves: 6.1/add-update-remove, 6.2/relgroup
test("tables join and leave a living sync; what is captured follows", async () => {
  await site.ok("add sync live tables=t1 dbs=A,B");
  await site.databases[1]!.query("create table t2 (a int, b text, primary key (a, b))");
  const captured = async (): Promise<string[]> =>
    (JSON.parse(await site.ok("inspect sync live --json")) as { lines: string[] }).lines.slice(1).map((line) => line.trim().split(" ")[0]!);
  expect(await captured()).toEqual(["public.t1"]);
  expect((await site.run("update sync live add table nokey")).err).toContain("no PRIMARY KEY");
  expect((await site.run("update sync live add table nosuch")).err).toContain("nosuch");
  await site.ok("update sync live add table t2");
  expect(await captured()).toEqual(["public.t1", "public.t2"]);
  await site.ok("update sync live remove table t1");
  expect(await captured()).toEqual(["public.t2"]);
  await site.ok("add table t1 relgroup=live db=A");
  expect(await captured()).toEqual(["public.t1", "public.t2"]);
  await site.ok("remove table public.t2");
  expect(await captured()).toEqual(["public.t1"]);
  expect(await site.ok("validate all")).toBe("Validating sync live ... OK\n");
  expect((await site.run("remove relgroup live")).err).toContain("live");
  expect((await site.run("remove db A --force")).err).toContain("needed by sync live");
  expect(await site.ok("update sync live name=renamed ping=off checktime='2 min'")).toBe(
    'Changed sync "live" name from live to renamed\nChanged sync "live" autokick from true to false\nChanged sync "live" checktime from none to 120 s\n',
  );
  expect(await site.ok("remove relgroup live --force")).toBe('Removed sync "renamed"\nRemoved relgroup "live"\n');
  await clearRegistrations();
  await site.databases[1]!.query("drop table t2");
});

test("a renamed target keeps its checkpoint, and what waits for it", async () => {
  await site.ok("add sync keep tables=t1 dbs=A,B");
  const checkpoint = () =>
    source().one(
      "select target, snapshot, (select count(*)::int from bucardo.subscription s where s.target = c.target) as tables from bucardo.checkpoint c",
    );
  const before = await checkpoint();
  expect(await site.ok("update db B name=Bee")).toBe("Changed bucardo.db name from B to Bee\n");
  expect(await checkpoint()).toEqual({ ...before, target: "Bee" });
  expect(await site.ok("list sync keep")).toContain("A:source Bee:target  [Active]");
  await site.ok("update db Bee name=B");
  await site.ok("update db A name=Aye");
  expect(await checkpoint()).toEqual(before);
  await site.ok("update db Aye name=A");
  await site.ok("remove sync keep");
  await clearRegistrations();
});

// proves: 6.1/validate
test("validate: the number of bad syncs, all problems, and capture that was lost is mended and copied again", async () => {
  await site.ok("add sync v1 tables=t1 dbs=A,B");
  const { name } = await source().one<{ name: string }>(
    "select min(tgname::text) as name from pg_trigger where tgrelid = 't1'::regclass and not tgisinternal",
  );
  await source().query(`drop trigger ${name} on t1`);
  expect(await site.ok("validate v1")).toBe(
    "Validating sync v1 ... OK\n  public.t1: capture was incomplete; the next run copies the table again\n",
  );
  expect(await source().query("select recopy from bucardo.subscription")).toEqual([{ recopy: true }]);
  expect(await site.ok("validate v1")).toBe("Validating sync v1 ... OK\n");

  await site.databases[1]!.query("alter table t1 rename to t1x");
  const bad = await site.run("validate all");
  expect(bad.code).toBe(1);
  expect(bad.out).toMatch(/Validating sync v1 \.\.\. FAILED\n {2}error: B: public.t1: does not exist on B; public.t1x does/);
  await site.databases[1]!.query("alter table t1x rename to t1");
  await source().query("drop schema bucardo cascade");
  expect(await site.ok("validate v1")).toContain("the next run copies the table again");
  expect(await source().query("select recopy from bucardo.subscription")).toEqual([{ recopy: true }]);
  await site.ok("remove sync v1");
  await clearRegistrations();
});

const POINTS = ["capture.schema-installed", "capture.registered", "capture.table-captured"];

async function addAndDie(point: string): Promise<void> {
  const killed = await runProgram(["add", "sync", "torn", "tables=t1", "dbs=A,B"], {
    cwd: site.home,
    env: { BUCARDO_POINT: `${point}=kill` },
  });
  expect(killed.signal).toBe("SIGKILL");
  const sessions = () => source().query("select from pg_stat_activity where application_name like 'bucardo%'");
  await waitFor(async () => (await sessions()).length === 0, { what: "the killed program's sessions to end" });
  expect(await site.ok("list sync torn")).toContain("capture is not complete, `validate torn` finishes it");
}

test.each(POINTS)("killed at %s: validate finishes what add sync began", async (point) => {
  await addAndDie(point);
  expect(await site.ok("validate torn")).toBe("Validating sync torn ... OK\n  capture is complete now\n");
  expect(await site.ok("list sync torn")).toContain("[Active]");
  expect(await source().query("select recopy, joined from bucardo.subscription")).toEqual([{ recopy: false, joined: true }]);
  await site.ok("remove sync torn");
  await clearRegistrations();
});

test.each(POINTS)("killed at %s: remove sync clears it", async (point) => {
  await addAndDie(point);
  await site.ok("remove sync torn");
  await clearRegistrations();
});

/** Groups and tables stay when a sync goes; the next test begins with none. */
async function clearRegistrations(): Promise<void> {
  await site.run("remove relgroup all");
  await site.run("remove dbgroup all");
  await site.run("remove all tables --batch");
  await site.run("remove all sequences --batch");
  expect(await traces()).toEqual(NOTHING);
}
