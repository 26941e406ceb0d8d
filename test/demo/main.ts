import { endPrograms } from "../harness/scratch.ts";
import { red } from "./screen.ts";
import { migrate } from "./story.ts";

// The first signal lets every part of the story end what it has opened. npm repeats Ctrl-C, so only a late second one ends at once;
// then the watchdogs clear up.
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
  process.exitCode = (await migrate(interrupt.signal)) ? 0 : 1;
} catch (error) {
  const why = interrupt.signal.aborted ? "interrupted" : error instanceof Error ? error.message : String(error);
  process.stderr.write(`\n${red("The demo broke off:")} ${why}\n`);
  process.exitCode = interrupt.signal.aborted ? 130 : 1;
} finally {
  await endPrograms();
}
