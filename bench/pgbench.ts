import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { TestDatabase } from "../test/harness/database.ts";
import { exec } from "../test/harness/exec.ts";
import { programPath } from "../test/harness/needs-program.ts";
import { waitFor } from "../test/harness/wait.ts";
import { cpuSecondsOfEnded, titleOf } from "./process-memory.ts";
import { withDescendants } from "./program.ts";

export type Load = {
  /** -N: an update, a select, an insert. tpcb: three updates, a select, an insert. Or a file of a script. */
  readonly script: "-N" | "tpcb" | { readonly file: string };
  readonly clients: number;
  readonly seconds: number;
  /** Transactions per second of all clients together; null: as fast as they can. */
  readonly rate?: number;
  readonly seed?: number;
};

export function pgbenchMissing(): string | null {
  return programPath("pgbench") === null ? "pgbench is not installed" : null;
}

/** Transactions per second, without the time to connect. */
export async function pgbenchTps(database: TestDatabase, load: Load): Promise<number> {
  const { command, args } = commandOf(database, load);
  const { code, stdout, stderr } = await exec(command, args, { env: environment });
  const tps = /^tps = ([\d.]+)/m.exec(stdout)?.[1];
  if (code !== 0 || tps === undefined) throw new Error(`pgbench ended with ${code}: ${stderr.slice(-1000)}`);
  return Number(tps);
}

/**
 * The same, with the processor time that a transaction costs the server, in microseconds: of the backends, which have ended by then. What else runs on the
 * machine changes the rate, and this hardly.
 */
export async function pgbenchCost(database: TestDatabase, load: Load, postmaster: number): Promise<{ tps: number; cpu: number }> {
  await untilReaped(postmaster);
  const before = cpuSecondsOfEnded(postmaster);
  const tps = await pgbenchTps(database, load);
  await untilReaped(postmaster);
  return { tps, cpu: (1e6 * (cpuSecondsOfEnded(postmaster) - before)) / (tps * load.seconds) };
}

/** A backend counts when its parent has asked for its end, which is some time after the client's. */
async function untilReaped(postmaster: number): Promise<void> {
  const gone = (pid: number): boolean => {
    const title = titleOf(pid);
    return title !== null && title !== "" && !title.includes("[local]");
  };
  await waitFor(() => withDescendants([postmaster]).every(gone), { what: "the backends of pgbench to end" });
}

/** Load in the background, until it is disposed of or its time is over. */
export class BackgroundLoad implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #stdout = "";
  #stderr = "";

  constructor(database: TestDatabase, load: Load) {
    const { command, args } = commandOf(database, load);
    this.#child = spawn(command, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.#closed = once(this.#child, "close");
  }

  /** Waits for its end and gives its transactions per second. */
  async tps(): Promise<number> {
    await this.#closed;
    const tps = /^tps = ([\d.]+)/m.exec(this.#stdout)?.[1];
    if (tps === undefined) throw new Error(`pgbench: ${this.#stderr.slice(-1000)}`);
    return Number(tps);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}

const environment: NodeJS.ProcessEnv = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" };

function commandOf(database: TestDatabase, load: Load): { command: string; args: string[] } {
  const command = programPath("pgbench");
  if (command === null) throw new Error("pgbench is not installed");
  const { server, name } = database;
  const script = load.script === "-N" ? ["-N"] : load.script === "tpcb" ? ["-b", "tpcb-like"] : ["-f", load.script.file];
  const args = ["-h", server.socketDir, "-p", String(server.port), "-U", "postgres", "-n", "-M", "prepared", ...script];
  args.push("-c", String(load.clients), "-j", "2", "-T", String(load.seconds), "--random-seed", String(load.seed ?? 1));
  if (load.rate !== undefined) args.push("-R", String(load.rate));
  return { command, args: [...args, name] };
}
