import { setTimeout as delay } from "node:timers/promises";
import { Disposer } from "../../src/base/disposer.ts";
import type { BenchContext, Benchmark, Case, OpenCase } from "../benchmark.ts";
import { startSyncs } from "../many.ts";
import { cpuSeconds } from "../process-memory.ts";
import { endOfLog, loggedStatements, statementsSince } from "../server-log.ts";
import { startPair } from "../servers.ts";
import { valueTarget } from "../target.ts";

export const idle: Benchmark = {
  name: "idle",
  proves: "What a daemon costs when nothing happens.",
  begins: "a minute after the daemon's start",
  ends: "another minute later; the servers' logs tell each statement",
  warmUp: "the minute before",
  peers: ["ours"],
  cases: (context) => [idleCase(context, 50, context.quick ? 15 : 60)],
};

function idleCase(_context: BenchContext, syncs: number, seconds: number): Case {
  return {
    name: `${syncs}-syncs`,
    metrics: [
      { name: "source", unit: "queries/s" },
      { name: "target", unit: "queries/s" },
      { name: "control", unit: "queries/s" },
      { name: "cpu", unit: "% of a core" },
      { name: "memory", unit: "MiB" },
    ],
    contenders: ["ours"],
    reference: null,
    rounds: 5,
    setting: `${syncs} syncs of one table each between the same two databases, autokick on, default settings, ${seconds} s`,
    targets: [
      ...(["source", "target", "control"] as const).map((metric) =>
        valueTarget(`${metric}: below 2 queries a second`, { contender: "ours", metric, unit: "queries/s", atMost: 2 }),
      ),
      valueTarget("below 1 % of a core", { contender: "ours", metric: "cpu", unit: "%", atMost: 1 }),
    ],
    open: () => openIdle(syncs, seconds),
  };
}

/** One daemon for all rounds. */
async function openIdle(syncs: number, seconds: number): Promise<OpenCase> {
  await using opening = new Disposer();
  const servers = opening.use(await startPair({ settings: loggedStatements }));
  const many = opening.use(await startSyncs(servers, syncs));
  await delay(seconds * 1000);
  const opened = opening.move();
  return {
    async measure() {
      const { source, target } = servers;
      const from = [await endOfLog(source), await endOfLog(target)] as const;
      const cpu = cpuSeconds(many.daemon.pid);
      const began = performance.now();
      await delay(seconds * 1000);
      const passed = (performance.now() - began) / 1000;
      const used = cpuSeconds(many.daemon.pid) - cpu;
      const onSource = await statementsSince(source, from[0]);
      const onTarget = await statementsSince(target, from[1]);
      const rate = (of: ReadonlyMap<string, { count: number }>, name: string): number => (of.get(name)?.count ?? 0) / passed;
      return {
        source: rate(onSource, many.source.name),
        target: rate(onTarget, many.target.name),
        control: rate(onTarget, many.control.name),
        cpu: (100 * used) / passed,
        memory: (many.daemon.peakMemory() ?? 0) / 2 ** 20,
      };
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
