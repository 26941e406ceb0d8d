import { waitFor } from "../harness/wait.ts";
import { type FaultRig, PATIENCE_MS, type Side } from "./fault-rig.ts";

/**
 * What may happen to the connections of one side. Begins at once; what it gives is settled when the fault is over. `settled` tells that the run went its
 * way all the same, because nothing more had to pass on that side.
 */
export type NetworkFault = (rig: FaultRig, side: Side, settled: () => Promise<boolean>) => Promise<void>;

export const networkFaults: Readonly<Record<string, NetworkFault>> = {
  cut: async ({ network }, side) => network[side].cut(),
  "half-closed towards the server": async ({ network }, side) => network[side].halfClose("toServer"),
  "half-closed towards us": async ({ network }, side) => network[side].halfClose("toClient"),
  "stalled for a while": async ({ network }, side, settled) => {
    network[side].stall();
    await untilFelt(network[side], settled);
    network[side].resume();
  },
  "stalled and then cut": async ({ network }, side, settled) => {
    network[side].stall();
    await untilFelt(network[side], settled);
    network[side].cut();
    network[side].resume();
  },
  "slow for a while": async ({ network }, side, settled) => {
    network[side].slow(20_000);
    await waitFor(settled, { what: "the run over a slow line", timeoutMs: PATIENCE_MS });
    network[side].resume();
  },
  "refused for a while": async ({ network, rig }, side, settled) => {
    const before = rig.log.lines.length;
    network[side].refuse();
    network[side].cut();
    const noticed = (): boolean => rig.log.lines.slice(before).some((line) => /^(error|warn)/.test(line));
    await waitFor(async () => noticed() || (await settled()), { what: "the loss to be noticed", timeoutMs: PATIENCE_MS });
    network[side].resume();
  },
  "terminated by the server": async (rig, side) => {
    await rig
      .database(side)
      .query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'bucardo%'",
      );
  },
};

async function untilFelt(proxy: { readonly holding: number }, settled: () => Promise<boolean>): Promise<void> {
  await waitFor(async () => proxy.holding > 0 || (await settled()), { what: "something to be held back", timeoutMs: PATIENCE_MS });
}
