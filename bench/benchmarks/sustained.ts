import { Disposer } from "../../src/base/disposer.ts";
import type { BenchContext, Benchmark, Case, OpenCase } from "../benchmark.ts";
import type { DatabasePair, Peer } from "../peers/peer.ts";
import { BackgroundLoad, pgbenchMissing } from "../pgbench.ts";
import { startPair } from "../servers.ts";
import { keyedTables, makeTemplates, mark, marker, pairFor, untilMarked } from "../tables.ts";
import { aboveAllTarget } from "../target.ts";

const tables = [...keyedTables, marker];
const rivals = ["native", "pglogical", "slony", "londiste", "bucardo5"];
/** Rates that are tried, in transactions per second. */
const ladder = [500, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000];
/** The lag is bounded when what is committed as the load ends arrives within this part of its time: of a minute, five seconds. */
const boundedPart = 1 / 12;
/** So long the rates are tried by halves; only what is found is tried for the whole time. */
const trySeconds = 12;
const scale = 10;

export const sustained: Benchmark = {
  name: "sustained",
  proves: "The highest rate of writes that a target keeps up with.",
  begins: "pgbench -N begins to write at a rate",
  ends: "its time is over and the row that was changed last is visible on the target",
  warmUp: "a first change has arrived; the rates that are tried before",
  peers: ["ours", ...rivals],
  missing: pgbenchMissing,
  cases: (context) => [sustainedCase(context, context.quick ? 15 : 60)],
};

function sustainedCase(context: BenchContext, seconds: number): Case {
  return {
    name: "rate",
    metrics: [
      { name: "tps", unit: "1/s" },
      { name: "behind", unit: "s at that rate" },
      { name: "memory", unit: "MiB" },
    ],
    contenders: context.peers.map((peer) => peer.name),
    reference: "native",
    rounds: 5,
    setting: `pgbench -N, 8 clients, ${seconds} s at the highest of ${ladder.length} rates up to ${ladder.at(-1)?.toLocaleString("en-US")} tx/s, which is looked for by halves with ${trySeconds} s each; kept up with: the last change arrives within ${seconds * boundedPart} s after the load and the source reached 0.95 of the rate; fsync off`,
    targets: [aboveAllTarget("above all others", { contender: "ours", others: rivals, metric: "tps" })],
    open: () => openSustained(context, seconds),
  };
}

async function openSustained(context: BenchContext, seconds: number): Promise<OpenCase> {
  await using opening = new Disposer();
  const servers = opening.use(await startPair({ settings: { autovacuum: true } }));
  await makeTemplates(servers, scale);
  const opened = opening.move();
  return {
    async measure(contender) {
      const peer = context.peers.find(({ name }) => name === contender) as Peer;
      const tryRate = async (rate: number, time: number) => {
        await using pair = await pairFor(peer, servers, scale);
        await using replication = await peer.replicate(pair, tables, "live");
        const tried = await keepsUp(pair, rate, time);
        context.note(
          `${contender} at ${rate} tx/s for ${time} s: source ${tried.tps.toFixed(0)} tx/s, ${tried.behind.toFixed(2)} s behind`,
        );
        return { ...tried, memory: replication.peakMemory() };
      };
      let [low, high] = [0, ladder.length - 1];
      while (low <= high) {
        const middle = (low + high) >> 1;
        if ((await tryRate(ladder[middle] as number, trySeconds)).bounded) low = middle + 1;
        else high = middle - 1;
      }
      for (let rung = high; rung >= 0; rung--) {
        const { bounded, tps, behind, memory } = await tryRate(ladder[rung] as number, seconds);
        if (bounded) return { tps, behind, ...(memory === null ? {} : { memory: memory / 2 ** 20 }) };
      }
      return { tps: 0 };
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function keepsUp(
  { source, target }: DatabasePair,
  rate: number,
  seconds: number,
): Promise<{ bounded: boolean; tps: number; behind: number }> {
  await using load = new BackgroundLoad(source, { script: "-N", clients: 8, seconds, rate });
  const tps = await load.tps();
  const limit = seconds * boundedPart;
  const began = performance.now();
  await mark(source, 2);
  const arrived = await untilMarked(target, 2, Math.max(2, limit * 2) * 1000).then(
    () => true,
    () => false,
  );
  const behind = (performance.now() - began) / 1000;
  return { bounded: arrived && behind <= limit && tps >= 0.95 * rate, tps, behind };
}
