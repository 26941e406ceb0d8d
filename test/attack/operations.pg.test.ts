import { afterEach, beforeEach, expect, test } from "vitest";
import { releaseSync } from "../../src/capture/release.ts";
import { requestKick } from "../../src/control/kick.ts";
import { run } from "../../src/replicate/run.ts";
import { openSite, type Site } from "../cli/site.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { openSession } from "../replicate/rig.ts";

let site: Site;
let A: TestDatabase;
let B: TestDatabase;

beforeEach(async () => {
  site = await openSite({
    majors: [15, 15],
    schema: "create table t (id int primary key, v text); create table u (id int primary key, v text)",
  });
  [A, B] = site.databases as [TestDatabase, TestDatabase];
  await site.ok("add db A $A");
  await site.ok("add db B $B");
});
afterEach(() => site[Symbol.asyncDispose]());

/** One run of sync s, as the daemon would do it. */
async function runOnce(tables: readonly string[] = ["t", "u"]): Promise<void> {
  await using source = await openSession(A, "A");
  await using target = await openSession(B, "B");
  const { id } = await site.control.one<{ id: string }>("select id from bucardo.sync where name = 's'");
  const relations = tables.map((name) => ({ kind: "table" as const, name: { schema: "public", name }, key: ["id"] }));
  const definition = { sync: { id, name: "s" }, source: "A", target: "B", relations, onetimecopy: 0 as const, strict: true };
  for (let attempt = 1; ; attempt++) {
    try {
      await run({ definition, source, target, signal: new AbortController().signal, onProgress: () => undefined, remembered: null });
      return;
    } catch (error) {
      if (attempt > 3 || (error as { code?: string }).code !== "run-void") throw error;
    }
  }
}

async function release(): Promise<void> {
  await using source = await openSession(A, "A");
  const { id } = await site.control.one<{ id: string }>("select id from bucardo.sync where name = 's'");
  await releaseSync(source, id, { target: "B" });
}

test.for(["update sync s autokick=0", "update sync s rename=s2", "update sync s add table w"])(
  "a target that was given up (quota) does not come back without its copy by: %s",
  async (command) => {
    await site.ok("add sync s dbs=A:source,B:target tables=t,u");
    await A.query("create table w (id int primary key)");
    await B.query("create table w (id int primary key)");
    await runOnce();
    await A.query("insert into t values (1, 'before'); insert into u values (1, 'before')");
    await release();
    await site.run(command);
    await site.control.query("update bucardo.sync set name = 's'");
    await A.query("insert into t values (2, 'after')");
    // stopping is right, being equal is right, Good and different is not
    const stopped = await runOnce().then(
      () => false,
      () => true,
    );
    expect(stopped || (await equalTables(A, B, ["t", "u"])).length === 0).toBe(true);
    await site.ok("validate s");
    await runOnce();
    expect(await equalTables(A, B, ["t", "u"])).toEqual([]);
  },
);

test("a validate that was interrupted by a lock is finished by the next one, with the copies that both owe", async () => {
  await site.ok("add sync s dbs=A:source,B:target tables=t,u");
  await runOnce();
  await release();
  await A.query("insert into t values (1, 'unseen'); insert into u values (1, 'unseen')");
  await site.ok("set lock_timeout='10 ms' lock_attempts=1");
  const holder = await A.client();
  await holder.query("begin; lock table u in row exclusive mode");
  expect((await site.run("validate s")).code).toBe(1);
  await holder.query("commit");
  await site.ok("validate s");
  await runOnce();
  expect(await equalTables(A, B, ["t", "u"])).toEqual([]);
});

test("uninstalling a control database leaves what others capture in that very database", async () => {
  const other = await createDatabase(site.control.server);
  await using _other = other;
  await site.control.query("create table t (id int primary key, v text)");
  const { Rig } = await import("../replicate/rig.ts");
  const rig = new Rig(site.control, B, { schema: "", tables: ["t"] });
  await rig.capture();
  await site.control.query("insert into t values (1, 'captured by another control database')");
  await site.ok("uninstall --batch --force");
  await rig.run();
  expect(await equalTables(site.control, B, ["t"])).toEqual([]);
  await rig.dropSessions();
});

test("a kick whose sync, or last target, goes away is not reported as done", async () => {
  await site.ok("add sync s dbs=A:source,B:target tables=t,u");
  const { waitForKick } = await import("../../src/operations/daemon/kick-wait.ts");
  const control = await openSession(site.control, "control");
  await using _control = control;
  const { id } = await site.control.one<{ id: string }>("select id from bucardo.sync where name = 's'");
  const lines: string[] = [];
  const io = {
    isTerminal: false,
    width: 80,
    out: (line: string) => void lines.push(line),
    err: (line: string) => void lines.push(line),
    write: () => undefined,
  };
  const context = {
    control: async () => control,
    io,
    flags: { json: false },
    signal: new AbortController().signal,
    program: "bucardo",
  } as never;
  const wait = async (kick: number) =>
    waitForKick(context, { sync: "s", syncId: id, kick, began: performance.now(), limitMs: 500, timer: false });
  const first = await requestKick(control, id);
  await site.control.query("update bucardo.db set status = 'inactive' where name = 'B'");
  expect((await wait(first)).outcome).not.toBe("done");
  await site.control.query("update bucardo.db set status = 'active'");
  const second = await requestKick(control, id);
  await site.control.query("delete from bucardo.sync");
  expect((await wait(second)).outcome).not.toBe("done");
});

test("a schema that somebody else prepared is neither used nor looked into", async () => {
  const squatter = `squatter_${A.name}`;
  await A.query(`create role ${squatter}; grant create on database ${A.name} to ${squatter}`);
  await A.query(`set role ${squatter};
    create schema bucardo;
    create function bucardo.seize() returns int language plpgsql as $$ begin execute 'alter role ${squatter} superuser'; return 1; end $$;
    create view bucardo.capture as select bucardo.seize() as version, 'open'::text as fence;
    reset role`);
  const { code, err } = await site.run("add sync s dbs=A:source,B:target tables=t,u");
  await site.run("inspect A");
  await site.run("uninstall --dryrun");
  expect(await A.one("select rolsuper from pg_roles where rolname = $1", [squatter])).toEqual({ rolsuper: false });
  expect(code).not.toBe(0);
  expect(err).toContain("bucardo");
  await A.query(`drop owned by ${squatter} cascade; drop role ${squatter}`);
});

test("a chain of syncs is taken without a word", async () => {
  await site.ok("add sync s dbs=A:source,B:target tables=t,u");
  const next = await createDatabase(B.server);
  await using _next = next;
  await next.query("create table t (id int primary key, v text); create table u (id int primary key, v text)");
  await site.ok(`add db C dbname=${next.name} host=${next.server.host} port=${next.server.port} user=postgres`);
  const { code, out, err } = await site.run("add sync next dbs=B:source,C:target tables=t,u");
  const validated = await site.run("validate next");
  expect({ code, warned: /captured|hand/.test(out + err) }).toEqual({ code: 0, warned: false });
  expect(validated.out).not.toMatch(/captured|hand/);
});
