import { Disposer } from "../../src/base/disposer.ts";
import type { BenchContext, Benchmark, Case, OpenCase } from "../benchmark.ts";
import { openSite, start } from "../peers/ours.ts";
import type { DatabasePair } from "../peers/peer.ts";
import { pgbenchCost, pgbenchMissing, pgbenchTps, type Load } from "../pgbench.ts";
import { checkpoint, startPair } from "../servers.ts";
import { clonePair, keyedTables, makeTemplates, marker } from "../tables.ts";
import { ratioTarget } from "../target.ts";

const clients = 8;
const kickMs = 50;

export const autokick: Benchmark = {
  name: "autokick",
  proves: "What it costs the application that its commits wake the daemon by themselves.",
  begins: "8 clients of pgbench -N are connected",
  ends: "their time is over",
  warmUp: "one second before each measurement",
  peers: ["ours"],
  missing: pgbenchMissing,
  cases: (context) => [
    autokickCase(context, "fast", "fsync off", { durable: false }),
    autokickCase(context, "slow-commits", "fsync on, commit_delay 2000, commit_siblings 0: as behind a slow disk", {
      durable: true,
      settings: { commit_delay: 2000, commit_siblings: 0 },
    }),
  ],
};

type ServerKind = { readonly durable: boolean; readonly settings?: Readonly<Record<string, number>> };

function autokickCase(context: BenchContext, name: string, how: string, servers: ServerKind): Case {
  const scale = context.quick ? 5 : 20;
  const load: Load = { script: "-N", clients, seconds: 3 };
  return {
    name,
    metrics: [
      { name: "tps", unit: "1/s" },
      { name: "cpu", unit: "µs of the server per transaction", ratio: true },
    ],
    contenders: ["off", "on", "off, kicked", "on, live"],
    reference: "off",
    rounds: 15,
    setting: `scale ${scale}, ${load.seconds} s, ${how}; off and on: capture without a daemon; kicked: a daemon, kicked every ${kickMs} ms; live: a daemon that is woken`,
    targets: [
      ratioTarget("on: at least 0.98 of off", { contender: "on", to: "off", metric: "tps", atLeast: 0.98 }),
      ratioTarget("live: at least 0.98 of kicked", { contender: "on, live", to: "off, kicked", metric: "tps", atLeast: 0.98 }),
    ],
    open: () => openAutokick(load, scale, servers),
  };
}

async function openAutokick(load: Load, scale: number, kind: ServerKind): Promise<OpenCase> {
  await using opening = new Disposer();
  const servers = opening.use(await startPair(kind));
  await makeTemplates(servers, scale);
  const tables = [...keyedTables, marker];
  const pairs = { off: opening.use(await clonePair(servers)), on: opening.use(await clonePair(servers)) };
  for (const key of ["off", "on"] as const) opening.use(await openSite(pairs[key], tables, key === "on"));
  const opened = opening.move();
  return {
    async measure(contender, round) {
      const measured = async (pair: DatabasePair): Promise<{ tps: number; cpu: number }> => {
        await checkpoint(servers);
        await pgbenchTps(pair.source, { ...load, seconds: 1, seed: round + 1000 });
        return await pgbenchCost(pair.source, { ...load, seed: round }, servers.source.pid);
      };
      if (contender === "off" || contender === "on") return measured(pairs[contender]);
      await using pair = await clonePair(servers);
      await using replication = await start(await openSite(pair, tables, contender === "on, live"), pair);
      await using kicking = new Disposer();
      if (contender === "off, kicked") {
        const timer = setInterval(() => void replication.release().catch(() => undefined), kickMs);
        kicking.defer(() => clearInterval(timer));
      }
      return await measured(pair);
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
