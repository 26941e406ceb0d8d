import { expect, test } from "vitest";
import { askAgain } from "../../src/control/request.ts";
import { kickState } from "../../src/control/kick.ts";
import { waitFor } from "../harness/wait.ts";
import { openDaemonRig, type DaemonRig } from "./rig.ts";

async function firstRun(rig: DaemonRig, target = "B"): Promise<void> {
  await waitFor(async () => (await rig.runs(target)).at(-1)?.outcome, { what: "the first run" });
}

test("a row that the target refuses stops that target only, answers the kick, and is not tried in a loop", async () => {
  await using rig = await openDaemonRig({ targets: ["B", "C"] });
  await rig.database("B").query("alter table account add constraint positive check (balance >= 0)");
  await rig.start();
  await firstRun(rig);
  await rig.source.query("insert into account values (1, -1)");
  const kick = await rig.kick();
  expect(await rig.settled(kick)).toMatchObject([
    { target: "B", outcome: "bad" },
    { target: "C", outcome: expect.stringMatching(/good|empty/) },
  ]);
  expect(await rig.differences("C")).toEqual([]);
  const stopped = await rig.state("B");
  expect(stopped).toMatchObject({ state: "Stopped", detail: expect.stringContaining("account") });
  expect(JSON.stringify([stopped, rig.log.lines])).not.toContain("-1");

  const failures = (await rig.runs("B")).filter((run) => run.outcome === "bad").length;
  await rig.source.query("insert into account values (2, 2)");
  await rig.untilEqual("C");
  expect((await rig.runs("B")).filter((run) => run.outcome === "bad").length).toBe(failures);

  await rig.database("B").query("alter table account drop constraint positive");
  expect((await rig.settled(await rig.kick())).map((one) => one.outcome)).not.toContain("bad");
  expect(await rig.differences("B")).toEqual([]);
  expect(await rig.state("B")).toMatchObject({ state: "Idle", detail: null });
});

test("a stopped target is tried again when a validate found it in order", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false } });
  await rig.target.query("alter table account add constraint positive check (balance >= 0)");
  await rig.source.query("insert into account values (1, -1)");
  await rig.start();
  await waitFor(async () => (await rig.state())?.state === "Stopped", { what: "B to stop" });
  await rig.target.query("alter table account drop constraint positive");
  await askAgain(await rig.control(), rig.syncId);
  await rig.untilEqual();
});

test("a kick that waits for a fault to heal is settled by the run that succeeds", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false }, overrides: { retry_longest: "200 ms" } });
  await rig.start();
  await firstRun(rig);
  const connection = await rig.control();
  await rig.define("update bucardo.db set status = 'inactive' where name = 'B'");
  await rig.define("update bucardo.db set status = 'active' where name = 'B'");
  await rig.source.query("insert into account values (1, 1)");
  const kick = await rig.kick();
  await rig.settled(kick);
  expect(await kickState(connection, kick)).toMatchObject([{ target: "B", outcome: "good" }]);
});

test("pause holds a sync over a restart of the daemon, and resume carries what was changed meanwhile", async () => {
  await using rig = await openDaemonRig();
  const first = await rig.start();
  await firstRun(rig);
  await rig.define("update bucardo.sync set paused = true");
  await waitFor(async () => (await rig.state())?.state === "Paused", { what: "the pause" });
  await rig.source.query("insert into account values (1, 1)");
  await rig.stop(first);
  const before = (await rig.runs()).length;
  await rig.start();
  await waitFor(async () => ((await rig.state())?.deltas ?? 0) > 0, { what: "the lag to show" });
  expect((await rig.runs()).length).toBe(before);
  await rig.define("update bucardo.sync set paused = false");
  await rig.untilEqual();
});

test("a deactivated sync does not run, an activated one begins at once", async () => {
  await using rig = await openDaemonRig({ sync: { status: "inactive" } });
  await rig.start();
  await rig.source.query("insert into account values (1, 1)");
  expect(await rig.runs()).toEqual([]);
  await rig.define("update bucardo.sync set status = 'active'");
  await rig.untilEqual();
  await rig.define("update bucardo.sync set status = 'inactive'");
  expect(rig.log.lines.filter((line) => line.startsWith("error"))).toEqual([]);
});

test("checktime runs by the clock where nothing else asks", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false, checktime: 0.3 } });
  await rig.start();
  await rig.source.query("insert into account values (1, 1)");
  await rig.untilEqual();
  await rig.source.query("insert into account values (2, 2)");
  await rig.untilEqual();
  const reasons = (await rig.runs()).map((run) => run.reason);
  expect(new Set(reasons)).toEqual(new Set(["start", "checktime"]));
});

test("onetimecopy copies every target once, also when one of them comes later, and then ends", async () => {
  await using rig = await openDaemonRig({ targets: ["B", "C"], sync: { autokick: false, onetimecopy: 1 } });
  // Rows that no delta tells of.
  await rig.source.query(
    "set session_replication_role = replica; insert into account select i, i from generate_series(1, 100) i; reset session_replication_role",
  );
  await rig.define("update bucardo.db set status = 'inactive' where name = 'C'");
  await rig.start();
  await rig.untilEqual("B");
  // Asked for once more while C has still to come.
  await rig.target.query("delete from account where id <= 10");
  await rig.define("update bucardo.sync set copy_request = copy_request + 1");
  await rig.kick();
  await rig.untilEqual("B");
  await rig.define("update bucardo.db set status = 'active' where name = 'C'");
  await rig.untilEqual("C");
  await waitFor(
    async () => {
      const [row] = await (
        await rig.control()
      ).query<{ onetimecopy: number }>({ name: "test.copy", text: "select onetimecopy from bucardo.sync" });
      return row?.onetimecopy === 0;
    },
    { what: "onetimecopy to end" },
  );
});

test("a stop finishes the run that is going on; a second one breaks it off, and nothing is lost", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false } });
  const daemon = await rig.start();
  await firstRun(rig);
  await rig.source.query("insert into account select i, 1 from generate_series(1, 100) i");
  const blocker = await rig.target.client();
  await blocker.query("begin; lock table account in access exclusive mode");
  await rig.kick();
  await waitFor(async () => (await rig.runs()).at(-1)?.outcome === null, { what: "the run to begin" });
  daemon.stop("once");
  const early = await Promise.race([
    daemon.done.then(() => "done"),
    waitFor(async () => (await rig.runs()).at(-1)?.outcome === null && "running", { what: "the run" }),
  ]);
  expect(early).toBe("running");
  daemon.abort("twice");
  await daemon.done;
  await blocker.query("rollback");
  expect((await rig.runs()).at(-1)).toMatchObject({ outcome: "bad", error_code: "interrupted" });
  await rig.start();
  await rig.untilEqual();
});

test("a run that a killed daemon left open is closed by the next one", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false } });
  await rig.define("insert into bucardo.run (sync, target, reason, step) values ($1, 'B', 'kick', 'applying')", [rig.syncId]);
  await rig.start();
  await waitFor(async () => (await rig.runs()).length === 2 && (await rig.runs())[1]?.outcome, { what: "the first run" });
  expect((await rig.runs())[0]).toMatchObject({ outcome: "bad", error_code: "interrupted" });
});
