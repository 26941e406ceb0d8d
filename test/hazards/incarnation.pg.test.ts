import { expect, test } from "vitest";
import { sharedServer } from "../harness/shared-server.ts";
import { onServer } from "../harness/database.ts";
import { startServer, type Server } from "../harness/server.ts";
import { caughtUp, diskImage, promote, startStandby } from "../harness/standby.ts";
import { openRig, type Rig, type RigOptions } from "../replicate/rig.ts";
import { at, checkpointOf, runApart } from "./steering.ts";

const schema = "create table t (id int primary key, v text)";

async function filled(options: Partial<RigOptions>): Promise<Rig> {
  const rig = await openRig({ schema, tables: ["t"], ...options });
  await rig.source.query("insert into t select i, 'first' from generate_series(1, 10) i");
  await rig.run();
  return rig;
}

/** Nothing reaches the disk but what somebody asks to be flushed. */
const lazy = { synchronous_commit: "off", wal_writer_delay: "10s", wal_writer_flush_after: 0, autovacuum: "off", checkpoint_timeout: "1h" };

async function restartLost(server: Server): Promise<void> {
  await server.crash();
  await server.start();
}

test("H1: what the target shows is durable on the source before, also where commits are asynchronous", async () => {
  await using server = await startServer({ major: 15, durable: true, settings: lazy });
  await using rig = await filled({ sourceServer: server });
  await rig.source.query("update t set v = 'second' where id = 1");
  await rig.source.query("insert into t values (11, 'second')");
  using steps = at("replicate.target-committed", () => restartLost(server));
  await expect(rig.run()).rejects.toMatchObject({ code: "connection-lost" });
  expect(steps.passes).toBe(1);
  await rig.dropSessions();
  // these would be given the numbers of the lost ones
  await rig.source.query("update t set v = 'third' where id = 2");
  await rig.source.query("update t set v = 'third' where id = 3");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  expect(await rig.target.one("select v from t where id = 11")).toEqual({ v: "second" });
});

test("H1: commits that the source loses before the target has them are lost on both sides", async () => {
  await using server = await startServer({ major: 15, durable: true, settings: lazy });
  await using rig = await filled({ sourceServer: server });
  const before = await checkpointOf(rig);
  await rig.source.query("update t set v = 'lost' where id = 1");
  using _steps = at("replicate.rows-read", () => restartLost(server));
  await expect(rig.run()).rejects.toMatchObject({ code: "connection-lost" });
  await rig.dropSessions();
  expect(await rig.source.query("select from t where v = 'lost'")).toHaveLength(0);
  expect(await checkpointOf(rig)).toEqual(before);
  await rig.source.query("update t set v = 'third' where id = 2");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("H6: a run's commit is durable on the target, also where commits are asynchronous", async () => {
  await using server = await startServer({ major: 15, durable: true, settings: lazy });
  await using rig = await filled({ targetServer: server });
  await rig.source.query("update t set v = 'second'");
  await rig.run();
  await restartLost(server);
  await rig.dropSessions();
  expect((await rig.run()).outcome).toBe("empty");
  expect(await rig.differences()).toEqual([]);
});

test("H1, H6: a source or target that went back in time on its own timeline is noticed, also when it has written more log since", async () => {
  await using server = await startServer({ major: 15 });
  await using there = await filled({ targetServer: server });
  await using here = await filled({ sourceServer: server });
  const image = await diskImage(server);
  await nextSegments(1);
  for (const rig of [here, there]) {
    await rig.dropSessions();
    await rig.source.query("update t set v = 'second' where id <= 5");
    await rig.run();
  }
  await image.restore();
  for (const rig of [here, there]) await rig.dropSessions();
  await expect(there.run()).rejects.toMatchObject({ code: "target-changed", message: expect.stringContaining("log is behind") });
  await expect(here.run()).rejects.toMatchObject({ code: "source-changed", message: expect.stringContaining("was settled") });
  // the positions in the log say nothing any more
  await nextSegments(4);
  for (const rig of [here, there]) await rig.dropSessions();
  await expect(there.run()).rejects.toMatchObject({ code: "target-changed", message: expect.stringContaining("transaction") });
  await expect(here.run()).rejects.toMatchObject({ code: "source-changed", message: expect.stringContaining("was settled") });

  /** 16 MB each. */
  async function nextSegments(count: number): Promise<void> {
    await onServer(server, async (admin) => {
      for (let segment = 0; segment < count; segment++)
        await admin.query("select pg_switch_wal(), pg_logical_emit_message(false, 'x', 'x')");
    });
  }
});

test("H1, H6, H32: a standby is refused, and when it is promoted the sync stops", async () => {
  await using primary = await startServer({ major: 15 });
  await using here = await filled({ sourceServer: primary });
  await using there = await filled({ targetServer: primary });
  await using standby = await startStandby(primary);
  await caughtUp(primary, standby);
  const moved = [() => runApart(here, { sourceServer: standby }), () => runApart(there, { targetServer: standby })];
  for (const run of moved) await expect(run()).rejects.toMatchObject({ code: "server-not-ready" });
  await promote(standby);
  const [source, target] = moved;
  await expect(source!()).rejects.toMatchObject({ code: "source-changed", message: expect.stringContaining("timeline") });
  await expect(target!()).rejects.toMatchObject({ code: "target-changed", message: expect.stringContaining("timeline") });
});

test("a prepared transaction survives the source's restart and a run in between, and arrives when it is committed", async () => {
  await using server = await startServer({ major: 15, settings: { max_prepared_transactions: 5 } });
  await using rig = await filled({ sourceServer: server });
  const client = await rig.source.client();
  await client.query(
    "begin; savepoint a; update t set v = 'undone' where id = 1; rollback to a; update t set v = 'prepared' where id = 2; prepare transaction 'x'",
  );
  await client.end();
  await rig.source.query("update t set v = 'second' where id = 3");
  await rig.run();
  await rig.source.closeClients();
  await server.restart("immediate");
  await rig.dropSessions();
  await rig.source.query("update t set v = 'third' where id = 4");
  await rig.run();
  expect(await rig.target.one("select v from t where id = 2")).toEqual({ v: "first" });
  await rig.source.query("commit prepared 'x'");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});

test("transaction ids count on over the 32 bits of the server: a checkpoint beyond the first epoch is read exactly", async () => {
  // pg_resetwal is not at hand, so the epoch of the deltas is moved instead: what the run compares are these numbers and the checkpoint's
  await using rig = await filled({ sourceServer: await sharedServer(15) });
  const epoch = 2 ** 32;
  const { waits } = await import("../../src/capture/waits.ts");
  const { parseSnapshot, isVisible } = await import("../../src/model/snapshot.ts");
  const text = `${epoch + 10}:${epoch + 20}:${epoch + 12},${epoch + 15}`;
  const xids = [10, 19, 20, epoch + 9, epoch + 10, epoch + 12, epoch + 14, epoch + 15, epoch + 19, epoch + 20, 2 * epoch + 12];
  const rows = await rig.source.query<{ xid: string; pending: boolean; visible: boolean }>(
    `select xid::text, ${waits("xid", parseSnapshot(text))} as pending, txid_visible_in_snapshot(xid, '${text}') as visible from unnest($1::bigint[]) xid`,
    [xids],
  );
  for (const row of rows) {
    expect(row.pending).toBe(!row.visible);
    expect(isVisible(Number(row.xid), parseSnapshot(text))).toBe(row.visible);
  }
  expect(rows.filter((row) => row.pending).map((row) => Number(row.xid) - epoch)).toEqual([12, 15, 20, epoch + 12]);
});
