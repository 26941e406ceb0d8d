import { expect, test } from "vitest";
import { installCapture } from "../../src/capture/install.ts";
import type { Session } from "../../src/postgres/session.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, openSession, type Rig } from "../replicate/rig.ts";
import { purgeSource } from "./steering.ts";

const install = (rig: Rig, source: Session): Promise<void> =>
  installCapture(source, {
    sync: { id: rig.syncId, name: "rig" },
    installation: rig.installation,
    targets: ["target"],
    relations: rig.relations.map((relation) => ({ ...relation, autokick: false })),
    lockTimeoutMs: 10_000,
  });

test.each([11, 15] as const)("H27: while capture waits for one partition nobody else's is locked (%i)", async (major) => {
  await using rig = await openRig({
    schema: `create table p (id int primary key, v text) partition by range (id); create table p_1 partition of p for values from (0) to (10);
      create table p_2 partition of p for values from (10) to (20); create table p_3 partition of p for values from (20) to (30)`,
    tables: ["p"],
    majors: [major, 18],
    capture: false,
  });
  const writer = await rig.source.client();
  await writer.query("begin; insert into p_3 values (20, 'open')");
  const capturing = rig.capture();
  const locks = () =>
    rig.source.one<{ waits: number; held: number }>(
      `select (count(*) filter (where not l.granted))::int as waits, (count(*) filter (where l.granted))::int as held
         from pg_locks l join pg_class c on c.oid = l.relation and c.relnamespace = 'public'::regnamespace
        where l.mode = 'ShareRowExclusiveLock' and l.database = (select oid from pg_database where datname = current_database())`,
    );
  const seen = await waitFor(async () => (await locks().then((found) => (found.waits === 1 ? found : null))) ?? false, {
    what: "capture to wait",
  });
  expect(seen).toEqual({ waits: 1, held: 0 });
  await rig.source.query("set lock_timeout = '2s'; insert into p_1 values (1, 'meanwhile'); insert into p values (11, 'through the root')");
  await writer.query("commit");
  await capturing;
  await rig.source.query("update p_3 set v = 'captured'; delete from p where id = 11; insert into p_2 values (12, 'direct')");
  await rig.source.query("update p set v = v || '!'");
  await rig.run({ onetimecopy: 1 });
  expect(await rig.differences()).toEqual([]);
});

/** Counts the round trips of a session from now on. */
function countTrips(session: Session): () => number {
  let trips = 0;
  for (const name of ["query", "one", "execute", "script", "batch"] as const) {
    const original = session[name].bind(session) as (...args: unknown[]) => unknown;
    Object.defineProperty(session, name, { value: (...args: unknown[]) => (trips++, original(...args)) });
  }
  return () => trips;
}

test("to look at tables whose capture is complete takes no round trip each; whatever is missing is found among them", async () => {
  const names = Array.from({ length: 60 }, (_, n) => `t${n}`);
  await using rig = await openRig({
    schema: `${names.map((name) => `create table ${name} (id int primary key, v text);`).join(" ")}
      create table tree (id int primary key) partition by range (id); create table tree_1 partition of tree for values from (0) to (10)`,
    tables: [...names, "tree"],
  });
  await using source = await openSession(rig.source, "source");
  const triggers = () => rig.source.one<{ n: number }>("select count(*)::int as n from pg_trigger where tgname like 'bucardo\\_%'");
  const before = await triggers();
  const trips = countTrips(source);
  await install(rig, source);
  expect(trips()).toBeLessThan(40);

  const [{ tgname } = { tgname: "" }] = await rig.source.query<{ tgname: string }>(
    "select tgname from pg_trigger where tgrelid = 't7'::regclass and not tgisinternal order by 1 limit 1",
  );
  await rig.source.query(`drop trigger "${tgname}" on t7; create table tree_2 partition of tree for values from (10) to (20)`);
  await rig.source.query(
    "delete from bucardo.subscription where captured_table = (select id from bucardo.captured_table where table_name = 't9')",
  );
  await install(rig, source);
  expect((await triggers()).n).toBe(
    before.n + (await rig.source.query("select from pg_trigger where tgrelid = 'tree_1'::regclass and not tgisinternal")).length,
  );
  expect(await rig.source.one("select count(*)::int as n from bucardo.subscription where joined")).toEqual({ n: 61 });
});

test("a delta table that has grown gets statistics, long before autovacuum comes", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key)", tables: ["t"] });
  await rig.source.query("alter table bucardo.delta_1_1 set (autovacuum_enabled = false)");
  await rig.source.query("insert into t select generate_series(1, 40000)");
  await purgeSource(rig);
  expect(await rig.source.one("select reltuples::int as rows from pg_class where oid = 'bucardo.delta_1_1'::regclass")).toEqual({
    rows: 40_000,
  });
});
