import type { BenchContext, Benchmark, Case } from "./benchmark.ts";
import { describeMachine, machineLine, type Machine } from "./machine.ts";
import type { BenchOptions } from "./options.ts";
import { allPeers } from "./peers/all.ts";
import type { Peer } from "./peers/peer.ts";
import { caseText } from "./report.ts";
import { keepResult, readResult, type CaseResult } from "./result.ts";
import { benchPrograms } from "./servers.ts";
import type { Sample } from "./statistics.ts";

const quickRounds = 2;

/** Runs one benchmark, prints and keeps what it measured. Gives the number of contenders that failed. */
export async function runBenchmark(benchmark: Benchmark, options: BenchOptions, signal: AbortSignal): Promise<number> {
  const wants = (contender: string): boolean => options.only === null || options.only.has(contender);
  const peers = allPeers.filter(({ name }) => benchmark.peers.includes(name) && wants(name));
  const notShown = absent(benchmark, peers, wants);
  const machine = describeMachine(benchPrograms().version);
  console.log(`\n${benchmark.name}: ${benchmark.proves}`);
  console.log(`  from: ${benchmark.begins}; to: ${benchmark.ends}; warm-up: ${benchmark.warmUp}`);
  console.log(`  ${machineLine(machine)}`);
  const context: BenchContext = {
    quick: options.quick,
    signal,
    peers: peers.filter((peer) => peer.missing() === null),
    wants,
    note: (text) => process.stderr.write(`  ${text}\n`),
  };
  const missing = benchmark.missing?.() ?? null;
  if (missing !== null) {
    console.log(`  not shown: ${missing}`);
    return 0;
  }
  let failures = 0;
  for (const one of benchmark.cases(context)) {
    if (options.cases !== null && !options.cases.has(one.name)) continue;
    console.log(`\n  ${benchmark.name} ${one.name}: ${one.setting}`);
    const before = options.append ? await keptSamples(benchmark.name, one.name) : [];
    const keep = async (measured: Measured): Promise<CaseResult> => {
      const result = caseResult(one, measured, notShown, machine);
      if (options.save) await keepResult({ ...described(benchmark), cases: [result] });
      return result;
    };
    const measured = await measureCase(one, context, options, before, keep);
    failures += Object.keys(measured.failed).length;
    console.log(caseText(await keep(measured)));
  }
  return failures;
}

function described({ name, proves, begins, ends, warmUp }: Benchmark) {
  return { benchmark: name, proves, begins, ends, warmUp };
}

type Measured = { readonly samples: readonly Sample[]; readonly failed: Readonly<Record<string, string>> };

/** Rounds are interleaved: each contender once, and in the next round another one begins. Whole rounds are kept as they come. */
async function measureCase(
  one: Case,
  context: BenchContext,
  options: BenchOptions,
  before: readonly Sample[],
  keep: (measured: Measured) => Promise<unknown>,
): Promise<Measured> {
  const samples: Sample[] = [...before];
  const failed: Record<string, string> = {};
  const contenders = one.contenders.filter((contender) => context.wants(contender));
  const first = Math.max(0, ...before.map(({ round }) => round)) + 1;
  // What is interrupted ends by itself when its servers are gone.
  const interrupted = new Promise<never>((_, reject) => {
    context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true });
  });
  interrupted.catch(() => undefined);
  await using open = await one.open();
  const rounds = options.rounds ?? (options.quick ? quickRounds : one.rounds);
  for (let round = first; round < first + rounds; round++) {
    for (const contender of rotated(contenders, round)) {
      context.signal.throwIfAborted();
      if (contender in failed) continue;
      try {
        const values = await Promise.race([open.measure(contender, round), interrupted]);
        samples.push({ round, contender, values });
        context.note(`round ${round} ${contender}: ${describe(values)}`);
      } catch (error) {
        context.signal.throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        failed[contender] = message.split("\n")[0] ?? "";
        context.note(`round ${round} ${contender} failed: ${message}`);
      }
    }
    await keep({ samples, failed });
  }
  return { samples, failed };
}

function rotated<T>(all: readonly T[], by: number): T[] {
  const at = all.length === 0 ? 0 : by % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}

function describe(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value.toPrecision(5)}`)
    .join(", ");
}

function absent(benchmark: Benchmark, peers: readonly Peer[], wants: (name: string) => boolean): Record<string, string> {
  const reasons = benchmark.peers.filter(wants).map((name): [string, string | null] => {
    const peer = peers.find((one) => one.name === name);
    return [name, peer === undefined ? "unknown" : peer.missing()];
  });
  return Object.fromEntries(reasons.filter((reason): reason is [string, string] => reason[1] !== null));
}

async function keptSamples(benchmark: string, name: string): Promise<readonly Sample[]> {
  return (await readResult(benchmark))?.cases.find((one) => one.name === name)?.samples ?? [];
}

function caseResult(one: Case, measured: Measured, notShown: Readonly<Record<string, string>>, machine: Machine): CaseResult {
  return {
    name: one.name,
    metrics: one.metrics,
    reference: one.reference,
    samples: measured.samples,
    notShown: { ...notShown, ...one.notShown, ...measured.failed },
    targets: one.targets.map(({ text, judge }) => ({ text, ...(judge(measured.samples) ?? { met: null, measured: "" }) })),
    setting: one.setting,
    machine,
    measuredAt: new Date().toISOString(),
  };
}
