import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Point } from "../../src/base/point.ts";
import type { Daemon } from "../../src/daemon/daemon.ts";
import { waitFor, withTimeout } from "../harness/wait.ts";
import { type FaultRig, openFaultRig, PATIENCE_MS, type Side } from "./fault-rig.ts";
import { everything } from "./schedule.ts";

let rig: FaultRig;
let daemon: Daemon;

beforeAll(async () => {
  rig = await openFaultRig({ overrides: { stop_grace: "300 ms" } });
});

afterAll(() => rig[Symbol.asyncDispose]());

beforeEach(async () => {
  daemon = await rig.start();
  await rig.change();
  await rig.healed(await rig.rig.kick());
});

/** It ends though something never answers, and when the network is back nothing of it is left and the next daemon goes on. */
async function ends(giveBack: () => Promise<void> | void): Promise<void> {
  daemon.stop("the test says so");
  await withTimeout(daemon.done, PATIENCE_MS, "the end of the daemon");
  await giveBack();
  await rig.stop();
  await rig.start();
  await rig.healed(await rig.rig.kick());
  await rig.stop();
}

/** Each takes as long as the daemon waits before it gives up; a lost control database, the longest. */
test.for<Side>(everything ? ["source", "target", "control"] : ["source"])(
  "while it is idle and the %s does not answer",
  { timeout: 3 * PATIENCE_MS },
  async (side) => {
    rig.network[side].stall();
    // The target is asked nothing while nothing is to be done.
    if (side !== "target") await waitFor(() => rig.network[side].holding > 0, { what: "the daemon to ask", timeoutMs: PATIENCE_MS });
    await ends(() => rig.network[side].resume());
  },
);

const unanswered: [Point, Side][] = [
  ["replicate.table-staged", "target"],
  ["replicate.target-committed", "source"],
  ["replicate.begun", "target"],
  ["replicate.locked", "source"],
  ["replicate.snapshot-taken", "target"],
  ["replicate.rows-read", "source"],
  ["replicate.intent-committed", "target"],
  ["daemon.kick-taken", "control"],
];

test.for(everything ? unanswered : unanswered.slice(0, 2))(
  "in a run that has passed %s while the %s does not answer",
  { timeout: 3 * PATIENCE_MS },
  async ([point, side]) => {
    await rig.change(500);
    using here = rig.at(point, () => rig.network[side].stall());
    await rig.rig.kick();
    await waitFor(() => here.reached && rig.network[side].holding > 0, { what: `the ${side} to be asked in vain`, timeoutMs: PATIENCE_MS });
    await ends(() => rig.network[side].resume());
  },
);

test.for<readonly [Side, string]>([
  ["source", "lock table bucardo.checkpoint in access exclusive mode"],
  ["source", "lock table bucardo.intent in access exclusive mode"],
  ["target", "lock table account in share mode"],
])("in a run that waits on the %s for somebody's lock: %s", { timeout: 3 * PATIENCE_MS }, async ([side, lock]) => {
  await rig.change();
  const holder = await rig.database(side).client();
  await holder.query(`begin; ${lock}`);
  await rig.rig.kick();
  await rig.untilBlocked(side);
  await ends(async () => void (await holder.query("rollback")));
  await holder.end();
});

test("while housekeeping waits for another who installs capture", { timeout: 3 * PATIENCE_MS }, async () => {
  const holder = await rig.rig.source.client();
  await holder.query("begin; select pg_advisory_xact_lock(25205, 3)");
  await rig.change(120_000);
  await rig.rig.kick();
  await rig.untilBlocked("source");
  await ends(async () => void (await holder.query("rollback")));
  await holder.end();
  expect(await rig.rig.differences()).toEqual([]);
});
