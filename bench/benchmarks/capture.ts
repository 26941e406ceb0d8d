import { Disposer } from "../../src/base/disposer.ts";
import type { BenchContext, Benchmark, Case, OpenCase } from "../benchmark.ts";
import { pgbenchCost, pgbenchMissing, pgbenchTps, type Load } from "../pgbench.ts";
import type { DatabasePair, Peer } from "../peers/peer.ts";
import { checkpoint, startPair } from "../servers.ts";
import { clonePair, keyedTables, makeTemplates } from "../tables.ts";
import { aboveAllTarget, ratioTarget } from "../target.ts";

const clients = 8;
const rivals = ["bucardo5", "slony", "londiste"];

export const capture: Benchmark = {
  name: "capture",
  proves: "What capture costs the application: transactions per second of the source with triggers and without, nothing else running.",
  begins: "8 clients of pgbench are connected",
  ends: "their time is over",
  warmUp: "one second before each measurement",
  peers: ["ours", ...rivals],
  missing: pgbenchMissing,
  cases: (context) => [
    captureCase("simple-cpu", context, "-N", false),
    captureCase("tpcb-cpu", context, "tpcb", false),
    captureCase("simple-flush", context, "-N", true),
    captureCase("tpcb-flush", context, "tpcb", true),
  ],
};

function captureCase(name: string, context: BenchContext, script: "-N" | "tpcb", durable: boolean): Case {
  const scale = context.quick ? 5 : 20;
  const load: Load = { script, clients, seconds: 3 };
  const how = durable ? "fsync on: flushes are the limit" : "fsync off: the processor is the limit";
  return {
    name,
    metrics: [
      { name: "tps", unit: "1/s" },
      { name: "cpu", unit: "µs of the server per transaction", ratio: true },
    ],
    contenders: ["none", ...context.peers.map((peer) => peer.name)],
    reference: "none",
    // Many short ones: what else happens on the machine then falls on all alike.
    rounds: 15,
    setting: `pgbench ${script === "-N" ? "-N" : "-b tpcb-like"}, prepared, ${clients} clients, scale ${scale}, ${load.seconds} s; ${how}; tables with a key captured`,
    targets: [
      ratioTarget("at least 0.93 of the rate without capture", { contender: "ours", to: "none", metric: "tps", atLeast: 0.93 }),
      aboveAllTarget("above every other with triggers", { contender: "ours", others: rivals, metric: "tps" }),
    ],
    open: () => openCapture(context, load, durable, scale),
  };
}

/** Each contender has a database of its own, which stays: the load is the same and all grow alike. */
async function openCapture(context: BenchContext, load: Load, durable: boolean, scale: number): Promise<OpenCase> {
  await using opening = new Disposer();
  const servers = opening.use(await startPair({ durable }));
  await makeTemplates(servers, scale);
  const databases = new Map<string, DatabasePair>();
  for (const contender of ["none", ...context.peers.map((peer) => peer.name)]) {
    if (!context.wants(contender)) continue;
    const pair = opening.use(await clonePair(servers));
    const peer: Peer | undefined = context.peers.find((one) => one.name === contender);
    if (peer?.capture) opening.use(await peer.capture(pair, keyedTables));
    databases.set(contender, pair);
  }
  const opened = opening.move();
  return {
    async measure(contender, round) {
      const pair = databases.get(contender);
      if (pair === undefined) throw new Error(`no ${contender}`);
      await checkpoint(servers);
      await pgbenchTps(pair.source, { ...load, seconds: 1, seed: round + 1000 });
      return await pgbenchCost(pair.source, { ...load, seed: round }, servers.source.pid);
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
