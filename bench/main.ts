import { endPrograms } from "../test/harness/scratch.ts";
import { ensureBuilt } from "../test/harness/shared-server.ts";
import { all } from "./all.ts";
import { readOptions, usage, type BenchOptions } from "./options.ts";
import { writeReport } from "./report.ts";
import { runBenchmark } from "./run.ts";

process.on("unhandledRejection", (error) => {
  if (!interrupt.signal.aborted) throw error;
});

// The first signal lets every part end what it has opened; after a second one, a second later, the watchdogs clear up.
const interrupt = new AbortController();
let interruptedAt = 0;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    if (interrupt.signal.aborted && performance.now() - interruptedAt > 1000) process.exit(130);
    if (interrupt.signal.aborted) return;
    interruptedAt = performance.now();
    interrupt.abort(new Error("interrupted"));
  });
}

try {
  process.exitCode = await bench(readOptions(process.argv.slice(2)));
} catch (error) {
  const why = interrupt.signal.aborted ? "interrupted" : error instanceof TypeError ? `${error.message}\n\n${usage}` : String(error);
  process.stderr.write(`bench: ${why}\n`);
  process.exitCode = interrupt.signal.aborted ? 130 : 1;
} finally {
  await endPrograms();
  if (interrupt.signal.aborted) process.exit();
}

async function bench(options: BenchOptions): Promise<number> {
  if (options.list) {
    for (const { name, proves } of all) console.log(`${name.padEnd(12)} ${proves}`);
    return 0;
  }
  if (options.report) {
    await writeReport(all.map(({ name }) => name));
    return 0;
  }
  const unknown = options.names.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0)
    throw new TypeError(`unknown benchmark ${unknown.join(", ")}; there are ${all.map(({ name }) => name).join(", ")}`);
  await ensureBuilt();
  const chosen = all.filter(({ name }) => options.names.length === 0 || options.names.includes(name));
  let failures = 0;
  for (const benchmark of chosen) {
    failures += await runBenchmark(benchmark, options, interrupt.signal);
    if (options.save) await writeReport(all.map(({ name }) => name));
  }
  return failures > 0 ? 1 : 0;
}
