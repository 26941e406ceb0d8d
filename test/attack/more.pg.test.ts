import { expect, test } from "vitest";
import { waitFor } from "../harness/wait.ts";
import { at } from "../hazards/steering.ts";
import { openRig } from "../replicate/rig.ts";

test("a column dropped and added again under its name, on the source alone, loses its values on the target too", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text)", tables: ["t"] });
  await rig.source.query("insert into t select i, 'x' from generate_series(1, 5) i");
  await rig.run();
  await rig.source.query("alter table t drop column v; alter table t add column v text");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("a plain table that was a part of another for a while, and changed through it, is followed", async () => {
  const schema = "create table t (id int primary key, v text)";
  await using rig = await openRig({ schema, tables: ["t"] });
  await rig.source.query("insert into t select i, 'x' from generate_series(1, 5) i");
  await rig.run();
  await rig.source.query(`create table root (id int primary key, v text) partition by range (id);
    alter table root attach partition t for values from (0) to (100);
    update root set v = 'through the root' where id = 2; insert into root values (50, 'through the root');
    alter table root detach partition t`);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("an abort ends a run that waits for a row of the target", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text)", tables: ["t"] });
  await rig.source.query("insert into t values (1, 'a')");
  await rig.run();
  await rig.source.query("update t set v = 'b'");
  const holder = await rig.target.client();
  await holder.query("begin; update t set v = 'held' where id = 1");
  const abort = new AbortController();
  const { target } = await rig.sessions();
  const run = rig.run({}, abort.signal).then(
    () => "done",
    (error: { code: string }) => error.code,
  );
  await waitFor(
    async () => (await rig.target.query("select from pg_locks where pid = $1 and not granted", [target.backendPid])).length > 0,
    { what: "the run to wait" },
  );
  abort.abort();
  const ended = await Promise.race([run, new Promise((resolve) => setTimeout(() => resolve("still waiting"), 3000))]);
  await holder.query("rollback");
  await run;
  expect(ended).toBe("interrupted");
});

test("serializable and repeatable read writers, COPY FREEZE, DISABLE TRIGGER in a savepoint: all arrive", async () => {
  await using rig = await openRig({
    schema: "create table t (id int primary key, v text); create table f (id int primary key)",
    tables: ["t", "f"],
    autokick: true,
  });
  const writer = await rig.source.client();
  await writer.query("begin isolation level serializable; select count(*) from t");
  await rig.source.query("insert into t values (1, 'other')");
  await rig.run();
  await writer.query("insert into t values (2, 'serializable'); commit");
  await writer.query(
    "begin; truncate f; savepoint a; alter table t disable trigger all; update t set v = 'unseen' where id = 1; rollback to a; update t set v = 'seen' where id = 1; commit",
  );
  await writer.query(
    "begin; alter table t disable trigger all; update t set v = 'behind our back' where id = 2; alter table t enable trigger all; commit",
  );
  using _steps = at("replicate.snapshot-taken", () =>
    writer.query(
      "begin; insert into f values (1); savepoint s; insert into f values (2); rollback to s; release s; insert into f values (3); commit",
    ),
  );
  await rig.run();
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});
