import { expect, test } from "vitest";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { openDaemonRig, type DaemonRig } from "./rig.ts";

const DELTA_BYTES = `select coalesce(sum(pg_relation_size(c.oid)), 0)::bigint::text as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'bucardo' and c.relname ~ '^delta_[0-9]+_[0-9]+$'`;

async function deltaBytes(rig: DaemonRig): Promise<number> {
  return Number((await rig.source.one<{ bytes: string }>(DELTA_BYTES)).bytes);
}

function sourceState(rig: DaemonRig): Promise<{ bytes: number; note: string | null }[]> {
  return rig.control().then((control) => control.query({ name: "test.source", text: "select bytes, note from bucardo.source_state" }));
}

/** About 4.4 MB of deltas per call. */
const FILL =
  "insert into account select i, 1 from generate_series(1, 100000) i on conflict (id) do update set balance = account.balance + 1";

test("delivered deltas go by themselves, and not before every target has them", async () => {
  await using rig = await openDaemonRig({ targets: ["B", "C"], overrides: { purge_interval: "200 ms" } });
  await rig.define("update bucardo.sync set paused = true");
  await rig.start();
  await rig.source.query(FILL);
  await rig.source.query(FILL);
  const full = await deltaBytes(rig);
  expect(full).toBeGreaterThan(4 * 1024 * 1024);
  await waitFor(async () => (await sourceState(rig))[0]?.bytes, { what: "the size to be seen" });
  expect(await deltaBytes(rig)).toBe(full);
  await rig.define("update bucardo.sync set paused = false");
  await rig.untilEqual("B");
  await rig.untilEqual("C");
  await waitFor(async () => (await deltaBytes(rig)) < full / 4, { what: "the deltas to be purged", timeoutMs: 30_000 });
});

test("lag is two numbers, also of a sync that nobody runs, and goes back to none", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false } });
  await rig.start();
  await waitFor(async () => (await rig.runs()).at(-1)?.outcome, { what: "the first run" });
  await rig.source.query("insert into account select i, 1 from generate_series(1, 10) i");
  await waitFor(async () => (await rig.state())?.deltas === 10, { what: "the lag" });
  await rig.settled(await rig.kick());
  await waitFor(async () => (await rig.state())?.deltas === 0, { what: "no lag again" });
});

test("at the quota it warns, in status and log", async () => {
  await using rig = await openDaemonRig({ sync: { paused: true }, overrides: { delta_quota: "1 MB", purge_interval: "100 ms" } });
  await rig.start();
  await rig.source.query(FILL);
  await waitFor(async () => (await sourceState(rig))[0]?.note?.includes("the quota is"), { what: "the warning" });
  expect(rig.log.lines.filter((line) => line.startsWith("warn")).join("\n")).toContain("quota");
});

test("policy pause: no copy begins while the quota is reached", async () => {
  await using rig = await openDaemonRig({
    targets: ["B"],
    sync: { paused: true },
    overrides: { delta_quota: "1 MB", delta_quota_policy: "pause", purge_interval: "100 ms" },
  });
  await rig.start();
  await rig.source.query(FILL);
  // The forecast alone makes a note too, while the deltas are still being written.
  await waitFor(async () => (await sourceState(rig))[0]?.note?.includes("the quota is"), { what: "the quota to be reached" });
  await rig.define("update bucardo.sync set paused = false, onetimecopy = 1");
  await waitFor(async () => (await rig.state())?.detail?.includes("the copy waits"), { what: "the copy to wait" });
  expect(await rig.runs()).toEqual([]);
  await rig.define("update bucardo.sync set onetimecopy = 0");
  await rig.untilEqual("B", 30_000);
});

test("policy release: the target that is furthest behind is given up, its deltas go, the other goes on", async () => {
  await using rig = await openDaemonRig({
    targets: ["B", "C"],
    overrides: { delta_quota: "1 MB", delta_quota_policy: "release", purge_interval: "300 ms", lag_interval: "100 ms" },
  });
  await rig.target.query("alter table account add constraint few check (id < 10)");
  await rig.start();
  await rig.source.query(FILL);
  await waitFor(async () => (await rig.state("B"))?.detail?.includes("released"), { what: "B to be released", timeoutMs: 30_000 });
  await rig.untilEqual("C", 30_000);
  await waitFor(async () => (await deltaBytes(rig)) < 1024 * 1024, { what: "its deltas to go", timeoutMs: 30_000 });
  await rig.source.query("insert into account values (200000, 1)");
  await rig.untilEqual("C", 30_000);
});

test.each([12, 17] as const)("H33: an orphan prepared transaction that holds deltas back is named, on %i", async (major) => {
  await using server = await startServer({ major, settings: { max_prepared_transactions: 5 } });
  await using rig = await openDaemonRig({ source: server, overrides: { purge_interval: "100 ms" } });
  await rig.source.query("begin; insert into account values (0, 0); prepare transaction 'forgotten one'");
  await rig.start();
  await rig.source.query(FILL);
  await waitFor(async () => (await sourceState(rig))[0]?.note?.includes("'forgotten one'"), { what: "its name", timeoutMs: 30_000 });
  await rig.source.query("rollback prepared 'forgotten one'");
  await rig.untilEqual("B", 30_000);
});
