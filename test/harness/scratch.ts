import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runDir } from "./root.ts";
import { mark, processesIn, processesMarked, signal, watch } from "./watchdog.ts";
import type { Watchdog } from "./watchdog.ts";
import { waitFor } from "./wait.ts";

export type Scratch = AsyncDisposable & { readonly path: string };

/** A folder of the test's own, with nothing in it but an empty rc file; at the end it goes, and so does every process that works in it. */
export async function scratch(): Promise<Scratch> {
  const path = join(runDir, `scratch-${randomBytes(4).toString("hex")}`);
  await mkdir(path, { recursive: true });
  // So that the program does not look for one in /etc, where Debian's package of the Perl program puts its own.
  await writeFile(join(path, ".bucardorc"), "");
  return {
    path,
    async [Symbol.asyncDispose]() {
      await endAll(() => processesIn(path));
      await rm(path, { recursive: true, force: true });
    },
  };
}

let watchdog: Watchdog | null = null;

/** The environment of a program under test: nothing of the machine's, and a mark by which its daemons are found and ended. */
export function programEnv(home: string, env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  watchdog ??= watch(join(runDir, `programs-${mark}`), mark);
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: home,
    LC_ALL: "C",
    NO_COLOR: "1",
    // Daemons run side by side here: who wants a page says BUCARDO_HTTP=127.0.0.1:0, and reads the address in the log.
    BUCARDO_HTTP: "off",
    BUCARDO_TEST_MARK: mark,
    ...env,
  };
}

/** Ends every program that this process has started and that still runs, daemons included. */
export async function endPrograms(): Promise<void> {
  await endAll(() => processesMarked(mark).filter((pid) => pid !== process.pid));
  await watchdog?.dismiss();
  watchdog = null;
}

async function endAll(processes: () => number[]): Promise<void> {
  signal(processes(), "SIGKILL");
  await waitFor(() => processes().length === 0, { what: "the processes of a test to end" });
}
