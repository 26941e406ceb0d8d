import { expect, test } from "vitest";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { openDaemonRig, type DaemonRig } from "./rig.ts";

const FLAG =
  "select count(*)::int as held from pg_locks where locktype = 'advisory' and classid = 25205 and objid = 2 and mode = 'ExclusiveLock' and granted and database = (select oid from pg_database where datname = current_database())";

async function untilAsleep(rig: DaemonRig): Promise<void> {
  await waitFor(async () => (await rig.source.one<{ held: number }>(FLAG)).held === 1, { what: "the watcher to sleep" });
}

async function latencyOf(rig: DaemonRig, id: number): Promise<number> {
  await rig.source.query("insert into account values ($1, 0)", [id]);
  const began = performance.now();
  await waitFor(async () => (await rig.target.query("select from account where id = $1", [id])).length === 1, {
    what: `row ${id} to arrive`,
    everyMs: 2,
  });
  return performance.now() - began;
}

test("an idle source is woken by its first change, long before the safety poll, each time", async () => {
  await using rig = await openDaemonRig();
  await rig.start();
  for (let id = 1; id <= 3; id++) {
    await untilAsleep(rig);
    expect(await latencyOf(rig, id)).toBeLessThan(2000);
  }
});

test("while it is awake, and when no daemon runs, writers do not notify", async () => {
  await using rig = await openDaemonRig();
  const listener = await rig.source.client();
  let heard = 0;
  listener.on("notification", () => (heard += 1));
  await listener.query("listen bucardo");
  await rig.source.query("insert into account values (1, 1)");
  // Open, so that the watcher cannot sleep.
  const writer = await rig.source.client();
  await writer.query("begin; insert into account values (2, 2)");
  const daemon = await rig.start();
  await rig.untilEqual();
  await rig.source.query("insert into account values (3, 3)");
  await rig.untilEqual();
  await listener.query("select 1");
  expect(heard).toBe(0);
  await writer.query("commit");
  await untilAsleep(rig);
  await rig.source.query("insert into account values (4, 4)");
  await waitFor(() => heard > 0, { what: "a notification" });
  await rig.stop(daemon);
});

test("H18: a change that was written while the watcher was awake and commits later is found at once, not by the safety poll", async () => {
  await using rig = await openDaemonRig();
  await rig.start();
  const late = await rig.source.client();
  await late.query("begin; insert into account values (1, 1)");
  // Long enough for a watcher to fall asleep that does not wait for open writers.
  await waitFor(async () => (await rig.runs()).length > 0 && rig.log.lines.length > 0, { what: "the first run" });
  for (const end = performance.now() + 2500; performance.now() < end;) expect((await rig.source.one<{ held: number }>(FLAG)).held).toBe(0);
  await late.query("commit");
  const began = performance.now();
  await waitFor(async () => (await rig.target.query("select from account where id = 1")).length === 1, {
    what: "the row to arrive",
    everyMs: 2,
  });
  expect(performance.now() - began).toBeLessThan(2000);
  await untilAsleep(rig);
});

test("H17: where prepared transactions are enabled the watcher polls: PREPARE works, and what it wrote arrives when it commits", async () => {
  await using server = await startServer({ major: 14, settings: { max_prepared_transactions: 10 } });
  await using rig = await openDaemonRig({ source: server });
  await rig.start();
  await rig.untilEqual();
  await rig.source.query("begin; insert into account values (1, 1); prepare transaction 'p'");
  expect(await latencyOf(rig, 2)).toBeLessThan(3000);
  expect((await rig.source.one<{ held: number }>(FLAG)).held).toBe(0);
  await rig.source.query("commit prepared 'p'");
  await rig.untilEqual();
});

test("two installations on one source: one sleeps by the flag, both are woken", async () => {
  await using one = await openDaemonRig();
  await one.start();
  await untilAsleep(one);
  // The other installation's daemon, as the source sees it: a session that wants the flag.
  const other = await one.source.client();
  expect((await other.query("select pg_try_advisory_lock(25205, 2) as got")).rows).toEqual([{ got: false }]);
  expect(await latencyOf(one, 1)).toBeLessThan(2000);
  await waitFor(async () => (await other.query("select pg_try_advisory_lock(25205, 2) as got")).rows[0]?.got === true, {
    what: "the flag to be free",
  });
  // Now the other one sleeps: ours can only poll, and misses nothing.
  expect(await latencyOf(one, 2)).toBeLessThan(2000);
});

test("an application of version 5 kicks by NOTIFY, on the control database and on the source", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false } });
  const done = await rig.database("control").client();
  let heard = 0;
  done.on("notification", ({ channel }) => (heard += Number(channel === "bucardo_syncdone_s")));
  await done.query("listen bucardo_syncdone_s");
  await rig.start();
  await waitFor(() => heard > 0, { what: "the first syncdone" });
  await rig.source.query("insert into account values (1, 1)");
  await rig.database("control").query("notify bucardo, 'kick_sync_s'");
  await rig.untilEqual();
  await waitFor(() => heard > 1, { what: "the second syncdone" });
});
