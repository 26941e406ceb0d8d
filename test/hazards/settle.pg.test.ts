import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { acceptIdentity } from "../../src/replicate/accept.ts";
import { lockTarget } from "../../src/replicate/lock.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, openSession, type Rig } from "../replicate/rig.ts";
import { at, checkpointOf, kill, runApart } from "./steering.ts";

const schema = "create table t (id int primary key, v text)";

async function filled() {
  const rig = await openRig({ schema, tables: ["t"] });
  await rig.source.query("insert into t select i, 'first' from generate_series(1, 20) i");
  await rig.run();
  return rig;
}

const steps = [
  "replicate.snapshot-taken",
  "replicate.table-staged",
  "replicate.table-applied",
  "replicate.intent-committed",
  "replicate.target-committed",
] as const;

test.for(["source", "target"] as const)(
  "H1: a run that loses its %s settles on no other connection, and is made again from the checkpoint",
  async (side) => {
    await using rig = await filled();
    for (const [round, point] of steps.entries()) {
      if (side === "target" && point === "replicate.target-committed") continue; // its work is done by then
      const before = await checkpointOf(rig);
      const value = `round ${round}`;
      await rig.source.query("update t set v = $1 where id <= 10", [value]);
      const lost = (await rig.sessions())[side];
      using step = at(point, () => kill(rig[side], lost));
      await expect(rig.run(), point).rejects.toMatchObject({ code: "connection-lost" });
      expect(step.passes, point).toBe(1);
      expect(await checkpointOf(rig), point).toEqual(before);
      const { rows } = await rig.target.one<{ rows: number }>("select count(*)::int as rows from t where v = $1", [value]);
      // once the intent is durable the target's commit asks the source for nothing more; it becomes so while the rows are applied
      const durable = side === "source" ? steps.indexOf("replicate.table-applied") : steps.length;
      expect(round < durable ? [0] : round === durable ? [0, 10] : [10], point).toContain(rows);
      await rig.dropSessions();
      expect((await rig.run()).tables, point).toMatchObject([{ upserted: 10 }]);
      expect(await rig.differences(), point).toEqual([]);
    }
  },
);

test("H1: the checkpoint is a compare-and-set: of two runs that sent the same changes the later one to settle is void", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = 'second' where id <= 10");
  const other: { run?: number } = {};
  using _steps = at("replicate.target-committed", async () => {
    await rig.source.query("update t set v = 'third' where id <= 5");
    other.run = (await runApart(rig)).settledRuns;
  });
  const { source, target } = await rig.sessions();
  const { run } = await import("../../src/replicate/run.ts");
  const context = {
    definition: rig.definition(),
    source,
    target,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    remembered: null,
  };
  await expect(run(context)).rejects.toMatchObject({ code: "run-void" });
  expect((await checkpointOf(rig)).run).toBe(other.run);
  expect((await run(context)).outcome).toBe("empty");
  expect(await rig.differences()).toEqual([]);
});

test("H3: a second run waits for the first one's lock before it takes its snapshot, and neither brings older rows over newer ones", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = 'second'");
  // As far as the lock lets them: the second run commits in front of the first one's rows and settles behind them.
  const second = { begun: false, committed: false, ended: false, run: Promise.resolve() as Promise<unknown> };
  let firstIsDurable = false;
  using _steps = onPoint(async (point) => {
    if (point === "replicate.table-staged" && !second.begun) {
      second.begun = true;
      await rig.source.query("update t set v = 'third' where id <= 10");
      second.run = runApart(rig).finally(() => (second.ended = true));
      second.run.catch(() => undefined);
      await waitFor(async () => second.committed || second.ended || (await waitsForLock(rig)), {
        what: "the second run to wait, or to get through",
      });
      if (!second.committed) firstIsDurable = true; // it waits
    } else if (point === "replicate.target-committed" && !second.committed && !firstIsDurable) {
      second.committed = true;
      await waitFor(() => firstIsDurable, { what: "the first run's intent" });
    } else if (point === "replicate.intent-committed" && second.committed) {
      firstIsDurable = true;
      await waitFor(() => second.ended, { what: "the second run to settle" });
    }
  });
  await rig.run();
  // void where it found the checkpoint of before the first one's settling
  const end = await second.run.then(
    () => "good",
    (error: { code?: string }) => error.code,
  );
  expect(["good", "run-void", "lock-timeout"]).toContain(end);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  expect((await rig.run()).outcome).toBe("empty");
});

async function waitsForLock(rig: Rig): Promise<boolean> {
  const rows = await rig.target.query(
    "select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
  );
  return rows.length > 0;
}

test("H3: who waits for the lock holds no snapshot of the source", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = 'second'");
  const { source } = await rig.sessions();
  await using holder = await openSession(rig.target, "target");
  await holder.script({ name: "begin", text: "begin" });
  await lockTarget(holder, rig.definition().sync);
  const late = rig.run();
  await waitFor(() => waitsForLock(rig), { what: "the run to wait" });
  expect(await rig.source.one("select state, backend_xmin from pg_stat_activity where pid = $1", [source.backendPid])).toEqual({
    state: "idle",
    backend_xmin: null,
  });
  await holder.script({ name: "rollback", text: "rollback" });
  await late;
  expect(await rig.differences()).toEqual([]);
});

test("H6: a target database made again under the same name is noticed", async () => {
  await using rig = await filled();
  await rig.dropSessions();
  await rig.target.closeClients();
  const name = rig.target.name;
  await onTarget(`drop database "${name}"`, `create database "${name}"`);
  await rig.target.query(schema);
  await expect(rig.run()).rejects.toMatchObject({ code: "target-changed" });

  async function onTarget(...statements: string[]): Promise<void> {
    const { onServer } = await import("../harness/database.ts");
    await onServer(rig.target.server, async (admin) => {
      for (const statement of statements) await admin.query(statement);
    });
  }
});

test("H1: a clone of the source under its name is noticed", async () => {
  await using rig = await filled();
  await rig.dropSessions();
  await rig.source.closeClients();
  const { onServer } = await import("../harness/database.ts");
  await onServer(rig.source.server, async (admin) => {
    await admin.query(`alter database "${rig.source.name}" rename to "${rig.source.name}_old"`);
    await admin.query(`create database "${rig.source.name}" template "${rig.source.name}_old"`);
    await admin.query(`drop database "${rig.source.name}_old"`);
  });
  await rig.source.query("update t set v = 'clone'");
  await expect(rig.run()).rejects.toMatchObject({ code: "source-changed" });
  expect(await rig.target.one("select count(*)::int as rows from t where v = 'clone'")).toEqual({ rows: 0 });
});

test("H1: a source that was dumped and restored into a server with lower transaction ids goes on with a copy, once that is accepted", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = 'second' where id = 1");
  // checkpoint and deltas as the dump brought them, with the numbers of the other server
  await rig.source.query(
    "update bucardo.checkpoint set snapshot = '90000000000:90000000000:'; update bucardo.delta_1_1 set xid = xid + 89999999000; insert into bucardo.truncation values (90000000001, 1, 't'::regclass)",
  );
  await rig.source.query("update t set v = 'unknown' where id = 2; delete from t where id = 3");
  await rig.dropSessions();
  await expect(rig.run()).rejects.toMatchObject({ code: "source-changed" });
  await using session = await openSession(rig.source, "source");
  expect(await acceptIdentity(session, { id: rig.syncId, name: "rig" }, null)).toEqual(["target"]);
  await rig.source.query("update t set v = 'later' where id = 4");
  rig.remembered = null;
  expect((await rig.run()).tables).toMatchObject([{ refilled: true }]);
  expect(await rig.differences()).toEqual([]);
  expect((await rig.run()).outcome).toBe("empty");
});

test("H24: a sequence that the snapshot did not see yet is never behind the rows", async () => {
  await using rig = await openRig({ schema: "create table t (id serial primary key, v text)", tables: ["t"], sequences: ["t_id_seq"] });
  await rig.source.query("insert into t (v) select 'x' from generate_series(1, 10)");
  using _steps = at("replicate.snapshot-taken", () => rig.source.query("insert into t (v) select 'y' from generate_series(1, 10)"));
  await rig.run();
  // every row on the target has a number that the sequence has passed, also those that come with the next run
  expect(await rig.target.one("select (select max(id) from t) as rows, last_value::int as at from t_id_seq")).toEqual({ rows: 10, at: 20 });
});

test("H24: sequences go to the target before its commit, so no reader sees rows beyond them", async () => {
  await using rig = await openRig({ schema: "create table t (id serial primary key, v text)", tables: ["t"], sequences: ["t_id_seq"] });
  await rig.source.query("insert into t (v) select 'x' from generate_series(1, 10)");
  let seen: object = {};
  using _steps = at("replicate.target-committed", async () => {
    seen = await rig.target.one("select (select max(id) from t) as rows, last_value::int as at from t_id_seq");
  });
  await rig.run();
  expect(seen).toEqual({ rows: 10, at: 10 });
});
