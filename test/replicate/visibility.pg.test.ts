import type pg from "pg";
import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { openRig, type Rig } from "./rig.ts";

const schema = "create table t (id int primary key, v text); create table u (id int primary key, v text)";

async function filled(): Promise<Rig> {
  const rig = await openRig({ schema, tables: ["t", "u"], sourceServer: await sharedServer(15, { max_prepared_transactions: 10 }) });
  await rig.source.query("insert into t select i, 'first' from generate_series(1, 5) i; insert into u select * from t");
  await rig.run();
  return rig;
}

async function begun(rig: Rig, statement: string): Promise<pg.Client> {
  const client = await rig.source.client();
  await client.query(`begin; ${statement}`);
  return client;
}

test("the first transaction after a checkpoint is not left out, though its number is the checkpoint's xmax", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = 'seen' where id = 1");
  using _standing = onPoint(async (point) => {
    if (point === "replicate.snapshot-taken") await rig.source.query("update t set v = 'next' where id = 2");
  });
  await rig.run();
  _standing[Symbol.dispose]();
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("transactions whose commits out of order straddle checkpoints arrive, each once", async () => {
  await using rig = await filled();
  const long = await begun(rig, "update t set v = 'long' where id = 1");
  const middle = await begun(rig, "update t set v = 'middle' where id = 2");
  await rig.source.query("update t set v = 'short' where id = 3");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  await rig.source.query("update t set v = 'later' where id = 4");
  await middle.query("commit");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 2 }]);
  await long.query("commit");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  expect((await rig.run()).outcome).toBe("empty");
  expect(await rig.differences()).toEqual([]);
});

test("a transaction that stays open over many settled runs arrives when it commits", async () => {
  await using rig = await filled();
  const long = await begun(rig, "insert into t values (100, 'long')");
  for (let step = 0; step < 12; step++) {
    await rig.source.query("update u set v = $1 where id = 1", [`step ${step}`]);
    await rig.run();
  }
  await long.query("commit");
  expect((await rig.run()).tables).toMatchObject([{ table: "public.t", upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("a commit after the run's snapshot belongs to the next run, in every table", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = 'seen' where id = 1; update u set v = 'seen' where id = 1");
  let staged = 0;
  using _standing = onPoint(async (point) => {
    if (point !== "replicate.table-staged" || ++staged !== 1) return;
    await rig.source.query("begin; update t set v = 'unseen' where id <= 2; update u set v = 'unseen' where id <= 2; commit");
  });
  await rig.run();
  expect(await rig.target.query("select v from t union all select v from u order by 1")).toEqual(
    Array.from({ length: 10 }, (_, index) => ({ v: index < 8 ? "first" : "seen" })),
  );
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("what savepoints undo is not sent, what they keep is, under the number of the whole transaction", async () => {
  await using rig = await filled();
  const client = await begun(
    rig,
    "savepoint a; update t set v = 'undone' where id = 1; rollback to a; savepoint b; update t set v = 'kept' where id = 2; release b",
  );
  await rig.source.query("update t set v = 'between' where id = 3");
  await rig.run();
  await client.query("savepoint c; delete from t where id = 4; release c; commit");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1, deleted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("a prepared transaction arrives when it is committed, whatever happened since", async () => {
  await using rig = await filled();
  const client = await begun(rig, "update t set v = 'prepared' where id = 1");
  await client.query("prepare transaction 'p1'");
  await client.end();
  await rig.source.query("update t set v = 'other' where id = 2");
  await rig.run();
  await rig.run();
  await rig.source.query("commit prepared 'p1'");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("what was rolled back is never sent", async () => {
  await using rig = await filled();
  const client = await begun(rig, "update t set v = 'never'; truncate u");
  await client.query("rollback");
  expect((await rig.run()).outcome).toBe("empty");
  expect(await rig.differences()).toEqual([]);
});

test("a target that dies with its commit unsaid gets the same keys again", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = 'second'; delete from u where id = 1");
  const { target } = await rig.sessions();
  // dies inside COMMIT, where deferred triggers fire
  await rig.target.query(`
    create function public.refuse() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
    create constraint trigger refuse after insert or update on t deferrable initially deferred for each row execute procedure public.refuse();
    alter table t enable always trigger refuse`);
  await expect(rig.run()).rejects.toMatchObject({ code: "connection-lost" });
  expect(target.lost.aborted).toBe(true);
  await rig.target.query("drop trigger refuse on t");
  await rig.dropSessions();
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});
