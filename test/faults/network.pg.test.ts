import { afterAll, beforeAll, expect, test } from "vitest";
import type { Point } from "../../src/base/point.ts";
import { waitFor } from "../harness/wait.ts";
import { type FaultRig, openFaultRig, PATIENCE_MS, type Side, sides } from "./fault-rig.ts";
import { networkFaults } from "./network-fault.ts";
import { pointsOfRun } from "./passing.ts";
import { everything, seed } from "./schedule.ts";

let rig: FaultRig;

beforeAll(async () => {
  rig = await openFaultRig();
  await rig.start();
});

afterAll(() => rig[Symbol.asyncDispose]());

/** In the short form each point and side meets one fault, by turns; which one, the seed says. */
const cases = pointsOfRun
  .flatMap((point, row) => sides.map((side, column) => ({ point, side, turn: row * sides.length + column })))
  .flatMap(({ point, side, turn }) =>
    Object.keys(networkFaults)
      .filter((_, index, all) => everything || (turn + seed) % all.length === index)
      .map((fault): [Point, string, Side] => [point, fault, side]),
  );

test.for(cases)(`at %s the connections are %s (%s; seed ${seed})`, { timeout: 2 * PATIENCE_MS }, async ([point, fault, side]) => {
  await rig.change();
  const kicked: { id: number | null } = { id: null };
  const settled = async (): Promise<boolean> => kicked.id !== null && (await rig.rig.settled(kicked.id, 0).catch(() => null)) !== null;
  let released: Promise<unknown> = Promise.resolve();
  using here = rig.at(point, () => {
    released = networkFaults[fault]!(rig, side, settled);
    released.catch(() => undefined);
  });
  kicked.id = await rig.rig.kick();
  await waitFor(() => here.reached, { what: `a run to pass ${point}`, timeoutMs: PATIENCE_MS });
  await released;
  await rig.healed(kicked.id);
});

test("told to stop after all that, the daemon leaves nothing behind", async () => {
  await rig.stop();
  expect(await rig.rig.differences()).toEqual([]);
});
