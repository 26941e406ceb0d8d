import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exec } from "../test/harness/exec.ts";
import { programEnv } from "../test/harness/scratch.ts";
import { signal } from "../test/harness/watchdog.ts";
import { waitFor } from "../test/harness/wait.ts";

/** A program of the machine with an empty environment but for what it needs; an exit code other than 0 is an error with what it said. */
export async function runTool(command: string, args: readonly string[], cwd: string, input?: string): Promise<string> {
  const options = { cwd, env: programEnv(cwd), ...(input === undefined ? {} : { input }) };
  const { code, signal: by, stdout, stderr } = await exec(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ended with ${by ?? code}\n${stdout.slice(-1500)}${stderr.slice(-1500)}`);
  return stdout;
}

/** A program that runs until it is disposed of; what it prints goes to a file in `cwd`. */
export class Tool implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly logFile: string;

  constructor(command: string, args: readonly string[], cwd: string, name: string) {
    this.logFile = join(cwd, `${name}.log`);
    const log = openSync(this.logFile, "a");
    this.#child = spawn(command, args, { cwd, env: programEnv(cwd), stdio: ["ignore", log, log] });
    this.#child.on("error", () => undefined);
    closeSync(log);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** It and all that it has started, down to the last. */
  get pids(): number[] {
    return withDescendants([this.pid]);
  }

  log(): string {
    return readFileSync(this.logFile, "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = this.pids;
    signal(all, "SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    await untilGone(all);
  }
}

/** The processes and their children, as far as they live. */
export function withDescendants(pids: readonly number[]): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = new Set(pids.filter((pid) => parents.has(pid)));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** Ends processes that have left their parent. */
export async function endAll(pids: readonly number[]): Promise<void> {
  signal(pids, "SIGKILL");
  await untilGone(pids);
}

async function untilGone(pids: readonly number[]): Promise<void> {
  await waitFor(() => pids.every((pid) => !lives(pid)), { what: "the processes of a peer to end" });
}

function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
