import { setTimeout as delay } from "node:timers/promises";
import { Disposer } from "../../src/base/disposer.ts";
import type { BenchContext, Benchmark, Case, OpenCase } from "../benchmark.ts";
import type { DatabasePair, Peer } from "../peers/peer.ts";
import { BackgroundLoad, pgbenchMissing } from "../pgbench.ts";
import { startPair } from "../servers.ts";
import { quantile } from "../statistics.ts";
import { keyedTables, makeTemplates, marker, pairFor } from "../tables.ts";
import { ratioTarget, valueTarget } from "../target.ts";

const tables = [...keyedTables, marker];
const loadRate = 500;
const scale = 5;
/** Between two looks at the target: short beside what is measured, long enough to leave the processor to the contenders. */
const lookMs = 0.2;

export const latency: Benchmark = {
  name: "latency",
  proves: "How long after its commit on the source a change is visible on the target.",
  begins: "the client, which has changed a row in a transaction, sends its commit to the source",
  ends: "a query on the target sees the change; it looks every 0.2 ms",
  warmUp: "20 changes before each measurement",
  peers: ["ours", "native", "pglogical", "slony", "londiste", "bucardo5"],
  cases: (context) => [latencyCase(context, "idle", 0), ...(pgbenchMissing() === null ? [latencyCase(context, "busy", loadRate)] : [])],
};

function latencyCase(context: BenchContext, name: string, rate: number): Case {
  const samples = context.quick ? 60 : 200;
  return {
    name,
    metrics: [
      { name: "p50", unit: "ms" },
      { name: "p99", unit: "ms" },
      { name: "max", unit: "ms" },
      { name: "memory", unit: "MiB" },
    ],
    contenders: context.peers.map((peer) => peer.name),
    reference: "native",
    rounds: 5,
    setting: `${samples} changes (fewer when 30 s are over), 20 to 60 ms after one another; ${rate === 0 ? "no other load" : `pgbench -N at ${rate} tx/s beside it`}; fsync off`,
    targets: [
      valueTarget("p50 at most 3 ms", { contender: "ours", metric: "p50", unit: "ms", atMost: 3 }),
      ratioTarget("p50 at most twice native's", { contender: "ours", to: "native", metric: "p50", atMost: 2 }),
      valueTarget("p99 at most 20 ms", { contender: "ours", metric: "p99", unit: "ms", atMost: 20 }),
    ],
    open: () => openLatency(context, rate, samples),
  };
}

async function openLatency(context: BenchContext, rate: number, samples: number): Promise<OpenCase> {
  await using opening = new Disposer();
  const servers = opening.use(await startPair());
  await makeTemplates(servers, scale);
  const opened = opening.move();
  return {
    async measure(contender) {
      const peer = context.peers.find(({ name }) => name === contender) as Peer;
      await using pair = await pairFor(peer, servers, scale);
      await using replication = await peer.replicate(pair, tables, "live");
      await using load = new Disposer();
      if (rate > 0) load.use(new BackgroundLoad(pair.source, { script: "-N", clients: 4, seconds: 600, rate }));
      await delays(pair, 10, 20, 10_000);
      const measured = await delays(pair, 1000, samples, 30_000);
      const memory = replication.peakMemory();
      return {
        p50: quantile(measured, 0.5),
        p99: quantile(measured, 0.99),
        max: Math.max(...measured),
        ...(memory === null ? {} : { memory: memory / 2 ** 20 }),
      };
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** Milliseconds from commit to sight, one change after the other. */
async function delays({ source, target }: DatabasePair, from: number, count: number, limitMs: number): Promise<number[]> {
  const writer = await source.client();
  const reader = await target.client();
  const measured: number[] = [];
  const end = performance.now() + limitMs;
  try {
    for (let value = from; value < from + count && performance.now() < end; value++) {
      await delay(20 + Math.random() * 40);
      await writer.query("begin");
      await writer.query({ name: "write", text: `update ${marker} set value = $1 where id = 1`, values: [value] });
      const began = performance.now();
      await writer.query("commit");
      for (;;) {
        const { rows } = await reader.query<{ value: string }>({ name: "look", text: `select value from ${marker} where id = 1` });
        if (Number(rows[0]?.value) >= value) break;
        if (performance.now() > began + 60_000) throw new Error("a change did not arrive within a minute");
        pause(lookMs);
      }
      measured.push(performance.now() - began);
    }
  } finally {
    await Promise.all([writer.end(), reader.end()]);
  }
  return measured;
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps for a fraction of a millisecond, which timers cannot; the process has nothing else to do meanwhile. */
function pause(ms: number): void {
  Atomics.wait(nobody, 0, 0, ms);
}
