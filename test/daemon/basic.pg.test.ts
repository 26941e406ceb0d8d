import { expect, test } from "vitest";
import { openDaemonRig } from "./rig.ts";
import { waitFor } from "../harness/wait.ts";

test("catches up at its start, then carries each change by itself", async () => {
  await using rig = await openDaemonRig();
  await rig.source.query("insert into account select i, 100 from generate_series(1, 1000) i");
  await rig.start();
  await rig.untilEqual();
  await rig.source.query("update account set balance = balance + 1 where id <= 10");
  await rig.untilEqual();
  expect((await rig.runs()).map((run) => run.reason)).toEqual(expect.arrayContaining(["start", "change"]));
  expect((await rig.runs()).filter((run) => run.outcome === "bad")).toEqual([]);
});

test("a sync without autokick runs only by kicks, and a kick is done when its rows are there", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false } });
  await rig.start();
  await waitFor(async () => (await rig.runs()).some((run) => run.outcome !== null), { what: "the first run" });
  for (let round = 1; round <= 3; round++) {
    await rig.source.query("insert into account values ($1, $1)", [round]);
    const [target] = await rig.settled(await rig.kick());
    expect(target).toMatchObject({ target: "B", outcome: "good" });
    expect(await rig.differences()).toEqual([]);
  }
  expect((await rig.runs()).map((run) => run.reason)).toEqual(["start", "kick", "kick", "kick"]);
});

test("a kick sent before the daemon is up is not lost", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false } });
  await rig.source.query("insert into account values (1, 1)");
  const kick = await rig.kick();
  await rig.start();
  expect((await rig.settled(kick)).map((one) => one.outcome)).toEqual(["good"]);
});

test("kicks that come during a run are one further run", async () => {
  await using rig = await openDaemonRig({ sync: { autokick: false } });
  await rig.start();
  const kicks = await Promise.all(Array.from({ length: 20 }, () => rig.kick()));
  for (const kick of kicks) await rig.settled(kick);
  expect((await rig.runs()).length).toBeLessThan(8);
});
