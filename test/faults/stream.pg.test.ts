import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../harness/wait.ts";
import { type FaultRig, openFaultRig, PATIENCE_MS, type Side } from "./fault-rig.ts";
import { networkFaults } from "./network-fault.ts";
import { everything, seed } from "./schedule.ts";

let rig: FaultRig;

beforeAll(async () => {
  rig = await openFaultRig();
  await rig.start();
});

afterAll(() => rig[Symbol.asyncDispose]());

const ROWS = 4000;
/** Less than half of what the rows take: this byte is one of their stream. */
const MIDDLE = 300_000;

/** Rows flow from the source and to the target. */
const streams = { source: "toClient", target: "toServer" } as const;

/** In the short form the two sides meet every other fault each, by turns. */
const cases = (Object.keys(streams) as (keyof typeof streams)[]).flatMap((side, column) =>
  Object.keys(networkFaults)
    .filter((fault) => fault !== "slow for a while")
    .filter((_, row) => everything || (row + column + seed) % 2 === 0)
    .map((fault): [Side & keyof typeof streams, string] => [side, fault]),
);

test.for(cases)(
  "in the middle of a stream of rows the connections of the %s are %s",
  { timeout: 2 * PATIENCE_MS },
  async ([side, fault]) => {
    await rig.change(ROWS);
    const kicked: { id: number | null } = { id: null };
    const settled = async (): Promise<boolean> => kicked.id !== null && (await rig.rig.settled(kicked.id, 0).catch(() => null)) !== null;
    let [struck, released] = [false, Promise.resolve()];
    rig.network[side].after(streams[side], MIDDLE, () => {
      struck = true;
      released = networkFaults[fault]!(rig, side, settled);
      released.catch(() => undefined);
    });
    kicked.id = await rig.rig.kick();
    await waitFor(() => struck, { what: "the middle of the stream", timeoutMs: PATIENCE_MS });
    await released;
    await rig.healed(kicked.id);
  },
);

test("a stream over a slow line arrives", { timeout: 2 * PATIENCE_MS }, async () => {
  await rig.change(ROWS);
  rig.network.target.slow(1_000_000);
  const kick = await rig.rig.kick();
  await rig.healed(kick);
  rig.network.target.resume();
  await rig.stop();
  expect(await rig.rig.differences()).toEqual([]);
});
