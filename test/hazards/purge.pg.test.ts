import { expect, test } from "vitest";
import { registerSync } from "../../src/capture/register.ts";
import { captureTable } from "../../src/capture/capture-table.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, openSession, type Rig } from "../replicate/rig.ts";
import { at, purgeSource, runApart, validate } from "./steering.ts";

const schema = "create table t (id int primary key, v text)";

async function filled(more: object = {}): Promise<Rig> {
  const rig = await openRig({ schema, tables: ["t"], ...more });
  await rig.source.query("insert into t select i, 'first' from generate_series(1, 20) i");
  await rig.run();
  return rig;
}

async function generations(rig: Rig): Promise<{ generation: number; retired: boolean; rows: number }[]> {
  const list = await rig.source.query<{ generation: number; retired: boolean }>(
    "select generation, retired_at is not null as retired from bucardo.generation order by generation",
  );
  return Promise.all(
    list.map(async (each) => ({
      ...each,
      ...(await rig.source.one<{ rows: number }>(`select count(*)::int as rows from bucardo.delta_1_${each.generation}`)),
    })),
  );
}

test("generations take turns: each is emptied when it was read, and used again", async () => {
  await using rig = await filled();
  for (let round = 1; round <= 6; round++) {
    await purgeSource(rig);
    await rig.source.query("update t set v = $1 where id <= $2", [`round ${round}`, round]);
    await rig.run();
    expect(await rig.differences()).toEqual([]);
  }
  expect((await generations(rig)).length).toBeLessThanOrEqual(3);
});

test("H11: housekeeping leaves the functions of a fenced source as they are", async () => {
  await using rig = await filled();
  await rig.source.query(
    "update bucardo.capture set fence = 'closed'; create or replace function bucardo.capture_1_update() returns trigger language plpgsql as $$ begin raise 'fenced'; end $$",
  );
  expect((await purgeSource(rig)).rotated).toBe(0);
  await expect(rig.source.query("update t set v = 'late'")).rejects.toThrow("fenced");
  await rig.source.query("update bucardo.captured_table set notify = false");
  await using session = await openSession(rig.source, "source");
  await expect(
    captureTable(session, {
      table: { schema: "public", name: "t" },
      key: ["id"],
      notify: true,
      sync: rig.syncId,
      targets: ["target"],
      lockTimeoutMs: 1000,
    }),
  ).rejects.toMatchObject({ code: "in-use" });
  await expect(rig.source.query("update t set v = 'late'")).rejects.toThrow("fenced");
});

test("H15: what a registration may still need is not purged, although no checkpoint says so yet", async () => {
  await using rig = await filled();
  await using session = await openSession(rig.source, "source");
  await registerSync(session, { sync: { id: rig.syncId, name: "rig" }, installation: rig.installation, targets: ["new"] });
  await captureTable(session, {
    table: { schema: "public", name: "t" },
    key: ["id"],
    notify: false,
    sync: rig.syncId,
    targets: ["new"],
    lockTimeoutMs: 1000,
  });
  await rig.source.query("update t set v = 'second'");
  await rig.run();
  expect(await purgeSource(rig)).toMatchObject({ rotated: 1 });
  expect(await purgeSource(rig)).toMatchObject({ emptied: 0, held: 1 });
  await validate(rig, ["target", "new"]);
  expect(await purgeSource(rig)).toMatchObject({ emptied: 1, held: 0 });
});

test("H15: a purge that began before a checkpoint came tests it too", async () => {
  await using rig = await filled();
  await purgeSource(rig);
  await rig.source.query("update t set v = 'second' where id = 1");
  // the new target begins while a writer is open, and the purge waits for that writer's lock on the generation
  const writer = await rig.source.client();
  await writer.query("begin; update t set v = 'third' where id = 2");
  await validate(rig, ["target", "other"]);
  await writer.query("commit");
  await rig.run();
  expect(await purgeSource(rig, { rotateBytes: 1 })).toMatchObject({ rotated: 1 });
  await purgeSource(rig);
  expect((await generations(rig)).reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(0);
  await rig.target.query("update t set v = 'second' where id = 1; update t set v = 'first' where id = 2");
  expect((await runApart(rig, { definition: rig.definition({ target: "other" }) })).tables).toMatchObject([{ upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("a writer that is late into a retired generation, after that was emptied, is read", async () => {
  await using rig = await filled();
  const other = await rig.source.client();
  const late = await rig.source.client();
  // inside the old trigger function the writer waits for the generation, as it does while a purge has it locked
  await other.query("begin; lock table bucardo.delta_1_1 in access exclusive mode");
  await late.query("begin");
  const { pid } = (await late.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]!;
  const writing = late.query("update t set v = 'late' where id = 1");
  await waitFor(async () => (await rig.source.query("select from pg_locks where pid = $1 and not granted", [pid])).length > 0, {
    what: "the writer to wait",
  });
  await rig.source.query(
    "update bucardo.captured_table set generation = 2; update bucardo.generation set retired_at = now(); create table bucardo.delta_1_2 (xid bigint not null, k1 int not null); insert into bucardo.generation values (1, 2, 'bucardo.delta_1_2')",
  );
  await other.query("truncate bucardo.delta_1_1; commit");
  await writing;
  await rig.run();
  await late.query("commit");
  expect(await generations(rig)).toMatchObject([
    { generation: 1, retired: true, rows: 1 },
    { generation: 2, retired: false, rows: 0 },
  ]);
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("a delta that reaches a generation after it was emptied is read all the same", async () => {
  await using rig = await filled();
  await purgeSource(rig);
  expect(await purgeSource(rig, { rotateBytes: 1e9 })).toMatchObject({ emptied: 1 });
  // as the function of before the rotation does
  await rig.source.query(
    "begin; set local session_replication_role = replica; update t set v = 'late' where id = 1; insert into bucardo.delta_1_1 values (txid_current(), 1); commit",
  );
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("a commit between the test and the TRUNCATE is impossible: who has written is waited for, not longer than a moment", async () => {
  await using rig = await filled();
  const writer = await rig.source.client();
  await writer.query("begin; update t set v = 'open' where id = 1");
  await purgeSource(rig);
  await rig.run();
  const began = performance.now();
  expect(await purgeSource(rig)).toMatchObject({ emptied: 0, held: 1 });
  expect(performance.now() - began).toBeLessThan(5000);
  await writer.query("commit");
  expect(await purgeSource(rig, { rotateBytes: 1e9 })).toMatchObject({ emptied: 0, held: 1 });
  await rig.run();
  expect(await purgeSource(rig, { rotateBytes: 1e9 })).toMatchObject({ emptied: 1, held: 0 });
  expect(await rig.differences()).toEqual([]);
});

test("a purge in the middle of a run takes nothing that the run reads", async () => {
  await using rig = await filled();
  await purgeSource(rig);
  await rig.source.query("update t set v = 'second' where id <= 10");
  const reports: object[] = [];
  await rig.dropSessions(); // a run on new connections has not locked yet what it expects
  using _steps = at("replicate.checkpoint-read", async () => void reports.push(await purgeSource(rig)));
  await rig.run();
  expect(reports).toMatchObject([{ emptied: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("H22: a target that does not run leaves the others no backlog to read", async () => {
  await using rig = await filled();
  await validate(rig, ["target", "dead"]);
  await rig.source.query("update t set v = v; insert into t select i, 'x' from generate_series(1000, 60000) i");
  await purgeSource(rig);
  await rig.run();
  await purgeSource(rig, { rotateBytes: 1e9 });
  await rig.source.query("update t set v = 'third' where id = 1");
  const { name } = await rig.source.one<{ name: string }>(
    "select c.oid::regclass::text as name from pg_class c where c.relname like 'delta_1_%' and c.relkind = 'r' order by pg_relation_size(c.oid) desc limit 1",
  );
  await rig.source.query(`alter table ${name} set (autovacuum_enabled = off)`); // its reading would count too
  const before = await blocksRead(rig, name);
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  const { pages } = await rig.source.one<{ pages: number }>(`select (pg_relation_size('${name}') / 8192)::int as pages`);
  expect(pages).toBeGreaterThan(100);
  expect((await blocksRead(rig, name)) - before).toBeLessThan(pages / 2);
  expect(await rig.differences()).toEqual([]);
});

/** Pages of the table that were looked at until now, once the server has told its statistics. */
async function blocksRead(rig: Rig, table: string): Promise<number> {
  await rig.dropSessions(); // a session tells when it ends, and the one that asks when it is told to
  await rig.source.query("select pg_stat_force_next_flush()");
  const { blocks } = await rig.source.one<{ blocks: number }>(
    `select (heap_blks_read + heap_blks_hit)::int as blocks from pg_statio_all_tables where relid = '${table}'::regclass`,
  );
  return blocks;
}

test("H33: a prepared transaction holds its generation, and no other one", async () => {
  await using rig = await filled({ sourceServer: await sharedServer(15, { max_prepared_transactions: 10 }) });
  const writer = await rig.source.client();
  await writer.query("begin; update t set v = 'prepared' where id = 1; prepare transaction 'orphan'");
  for (let round = 0; round < 4; round++) {
    await purgeSource(rig);
    await rig.source.query("update t set v = $1 where id = 2", [`round ${round}`]);
    await rig.run();
  }
  const held = (await generations(rig)).filter(({ generation, rows }) => generation !== 1 && rows > 1);
  expect(held).toEqual([]);
  await rig.source.query("commit prepared 'orphan'");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await purgeSource(rig);
  expect((await generations(rig)).find(({ generation }) => generation === 1)).toMatchObject({ rows: 0 });
});

test("H34: rotation goes by size: a source at rest keeps its functions, however often housekeeping comes", async () => {
  await using rig = await filled();
  const functions = async (): Promise<unknown> =>
    rig.source.query("select oid, xmin from pg_proc where pronamespace = 'bucardo'::regnamespace order by oid");
  const before = await functions();
  for (let round = 0; round < 5; round++) {
    await rig.source.query("update t set v = 'x' where id = 1");
    await rig.run();
    expect(await purgeSource(rig, {})).toMatchObject({ rotated: 0 });
  }
  expect(await functions()).toEqual(before);
});
