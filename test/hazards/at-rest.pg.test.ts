// Delta tables at rest are empty files, and an empty file is not looked into: what could go wrong between the two.
import { expect, test } from "vitest";
import { captureTable } from "../../src/capture/capture-table.ts";
import { countDeltas, somethingPending } from "../../src/capture/pending.ts";
import { registerSync } from "../../src/capture/register.ts";
import { transaction } from "../../src/postgres/transaction.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, openSession, type Rig } from "../replicate/rig.ts";
import { at, purgeSource, runApart, validate } from "./steering.ts";

const schema = "create table t (id int primary key, v text); create table u (id int primary key, v text)";

async function filled(more: object = {}): Promise<Rig> {
  const rig = await openRig({ schema, tables: ["t", "u"], ...more });
  await rig.source.query("insert into t select i, 'first' from generate_series(1, 20) i; insert into u select * from t");
  await rig.run();
  return rig;
}

/** As the daemon does while tables are small: none is rotated. */
const inPlace = (rig: Rig, quiet: string | null = null) => purgeSource(rig, { rotateBytes: Number.POSITIVE_INFINITY, quiet });

async function sizes(rig: Rig): Promise<Record<string, number>> {
  const rows = await rig.source.query<{ name: string; bytes: number }>(
    "select t.table_name as name, sum(pg_relation_size(g.delta))::int as bytes from bucardo.generation g join bucardo.captured_table t on t.id = g.captured_table group by 1",
  );
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, bytes]));
}

test.for([10, 15, 18] as const)("%i: a table at rest is emptied in place, and its next change is followed", async (major) => {
  await using rig = await filled({ majors: [major, 18] });
  expect(await inPlace(rig)).toMatchObject({ emptied: 2, rotated: 0, held: 0 });
  expect(await sizes(rig)).toEqual({ t: 0, u: 0 });
  expect((await rig.run()).outcome).toBe("empty");
  await rig.source.query("update t set v = 'second' where id = 1; truncate u");
  expect((await rig.run()).tables).toHaveLength(2);
  expect(await rig.differences()).toEqual([]);
  expect(await rig.source.query("select from bucardo.generation")).toHaveLength(2);
});

test("H15: what a registration may still need stays, although no checkpoint says so yet", async () => {
  await using rig = await filled();
  await using session = await openSession(rig.source, "source");
  await registerSync(session, { sync: { id: rig.syncId, name: "rig" }, installation: rig.installation, targets: ["new"] });
  const request = { key: ["id"], notify: false, sync: rig.syncId, targets: ["new"], lockTimeoutMs: 1000 };
  await captureTable(session, { ...request, table: { schema: "public", name: "t" } });
  await rig.source.query("update t set v = 'second'; update u set v = 'second'");
  await rig.run();
  expect(await inPlace(rig)).toMatchObject({ emptied: 1, held: 1 });
  expect(await sizes(rig)).toMatchObject({ u: 0 });
  await validate(rig, ["target", "new"]);
  expect(await inPlace(rig)).toMatchObject({ emptied: 1, held: 0 });
});

test("a target that has not come so far keeps what it needs", async () => {
  await using rig = await filled();
  await validate(rig, ["target", "slow"]);
  await inPlace(rig);
  await rig.source.query("update t set v = 'second' where id = 1");
  await rig.run();
  expect(await inPlace(rig)).toMatchObject({ emptied: 0, held: 1 });
  expect((await runApart(rig, { definition: rig.definition({ target: "slow" }) })).tables).toMatchObject([{ upserted: 1 }]);
  expect(await inPlace(rig)).toMatchObject({ emptied: 1, held: 0 });
});

test("a writer that is open keeps its table, and neither waits for the other", async () => {
  await using rig = await filled();
  await inPlace(rig);
  const writer = await rig.source.client();
  await writer.query("begin; update t set v = 'open' where id = 1");
  await rig.run();
  expect(await inPlace(rig)).toMatchObject({ emptied: 0, held: 1 });
  await writer.query("update t set v = 'open' where id = 2; commit");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  expect(await inPlace(rig)).toMatchObject({ emptied: 1, held: 0 });
});

test("a writer that comes while a purge tests writes afterwards, and is followed", async () => {
  await using rig = await filled();
  const purger = await rig.source.client();
  await purger.query("begin; lock table bucardo.delta_1_1 in share row exclusive mode");
  const writer = await rig.source.client();
  const { pid } = (await writer.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]!;
  const writing = writer.query("update t set v = 'waited' where id = 1");
  await waitFor(async () => (await rig.source.query("select from pg_locks where pid = $1 and not granted", [pid])).length > 0, {
    what: "the writer to wait",
  });
  // what a purge holds while it tests does not keep runs from reading
  await rig.source.query("update u set v = 'second' where id = 1");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  await purger.query("truncate bucardo.delta_1_1; commit");
  await writing;
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("H2: a purge or a writer between a run's look and its reading takes nothing from it and hides nothing from the next", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = 'second' where id = 1");
  const reports: object[] = [];
  using _steps = at("replicate.checkpoint-read", async () => {
    reports.push(await inPlace(rig));
    await rig.source.query("update u set v = 'later' where id = 2; update t set v = 'later' where id = 2");
  });
  expect((await runApart(rig)).tables).toMatchObject([{ upserted: 1 }]);
  expect(reports).toMatchObject([{ emptied: 1, held: 1 }]);
  expect((await rig.run()).tables).toHaveLength(2);
  expect(await rig.differences()).toEqual([]);
});

test("a table that somebody writes to now and then is not emptied under him each time", async () => {
  await using rig = await filled();
  const { snapshot } = await inPlace(rig);
  await rig.source.query("update t set v = 'second' where id = 1");
  await rig.run();
  const second = await inPlace(rig, snapshot);
  expect(second).toMatchObject({ emptied: 0, held: 0 });
  expect(await inPlace(rig, second.snapshot)).toMatchObject({ emptied: 1 });
});

test("the looks between runs count what waits, and nothing else", async () => {
  await using rig = await filled();
  await using session = await openSession(rig.source, "source");
  await inPlace(rig);
  expect(await somethingPending(session)).toEqual([]);
  expect(await countDeltas(session)).toEqual([]);
  await rig.source.query("update t set v = 'second' where id < 4; truncate u");
  expect(await somethingPending(session, [rig.syncId])).toMatchObject([{ target: "target" }]);
  expect(await countDeltas(session)).toMatchObject([{ deltas: 3 }, { deltas: 1 }]);
  await rig.run();
  expect(await somethingPending(session)).toEqual([]);
});

const MANY = 500;

test("500 tables at rest: a run and the daemon's look lock none of them and take a moment", async () => {
  const names = Array.from({ length: MANY }, (_, index) => `t${index}`);
  await using rig = await openRig({ majors: [15, 15], schema: "select", tables: names, capture: false });
  for (let from = 0; from < MANY; from += 100) {
    const some = names.slice(from, from + 100).map((name) => `create table ${name} (id int primary key, v text)`);
    await rig.source.query(some.join("; "));
    await rig.target.query(some.join("; "));
  }
  await rig.capture();
  await rig.run();
  const { source } = await rig.sessions();
  const locked = async (pid: number): Promise<unknown[]> =>
    rig.source.query(
      "select c.relname from pg_locks l join pg_class c on c.oid = l.relation where l.pid = $1 and c.relname ~ '^(t|delta_)[0-9]'",
      [pid],
    );
  const found: unknown[][] = [];
  using _steps = at("replicate.snapshot-taken", async () => void found.push(await locked(source.backendPid)));
  expect((await rig.run()).outcome).toBe("empty");
  await using session = await openSession(rig.source, "source");
  await transaction(session, {}, async () => {
    await somethingPending(session);
    await countDeltas(session);
    found.push(await locked(session.backendPid));
  });
  expect(found).toEqual([[], []]);
  // by the best of some: the machine has other things to do
  const quick = (work: () => Promise<unknown>, what: string) =>
    waitFor(
      async () => {
        const began = performance.now();
        await work();
        return performance.now() - began < 50;
      },
      { what },
    );
  await quick(() => rig.run(), "an empty run of less than 50 ms");
  await quick(() => somethingPending(session), "a look of less than 50 ms");
});
