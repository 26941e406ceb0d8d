import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { exec } from "./exec.ts";
import type { Finished } from "./exec.ts";
import { root } from "./root.ts";
import { programEnv } from "./scratch.ts";
import { ensureBuilt } from "./shared-server.ts";
import { waitFor, withTimeout } from "./wait.ts";

export type ProgramOptions = {
  /** Also its HOME. Take a scratch() folder. */
  readonly cwd: string;
  /** Added to an environment that has PATH, HOME, LC_ALL and NO_COLOR only. */
  readonly env?: NodeJS.ProcessEnv;
  /** What it reads from its standard input, which is no terminal; default: nothing at all. */
  readonly input?: string;
  /** Under which of its names it is called. Default: bucardo. */
  readonly program?: "bucardo" | "bucardo_ctl";
  /** Default 100 s; the program is killed then, and that is an error. */
  readonly timeoutMs?: number;
};

/** Runs the real program of this checkout to its end, whatever its exit code. */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<Finished> {
  await ensureBuilt();
  const timeoutMs = options.timeoutMs ?? 100_000;
  const killer = AbortSignal.timeout(timeoutMs);
  const running = exec(process.execPath, [path(options), ...args], {
    cwd: options.cwd,
    env: programEnv(options.cwd, options.env),
    signal: killer,
    killSignal: "SIGKILL",
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  return running.catch((error: unknown) => {
    throw killer.aborted ? new Error(`bucardo ${args.join(" ")}: not done after ${timeoutMs} ms`) : error;
  });
}

/** Starts the program and leaves it running. */
export async function spawnProgram(args: readonly string[], options: Omit<ProgramOptions, "timeoutMs">): Promise<Running> {
  await ensureBuilt();
  const child = spawn(process.execPath, [path(options), ...args], {
    cwd: options.cwd,
    env: programEnv(options.cwd, options.env),
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => undefined);
  if (options.input !== undefined) child.stdin.end(options.input);
  await once(child, "spawn");
  return new Running(child);
}

export class Running implements AsyncDisposable {
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, "close");
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** null while it runs, and when a signal ended it. */
  get code(): number | null {
    return this.#child.exitCode;
  }

  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    this.#child.kill(signal);
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  closeInput(): void {
    this.#child.stdin?.end();
  }

  /** Waits until standard output or standard error holds a text that matches. */
  said(pattern: RegExp | string, timeoutMs?: number): Promise<unknown> {
    const heard = (): boolean =>
      [this.stdout, this.stderr].some((text) => (typeof pattern === "string" ? text.includes(pattern) : pattern.test(text)));
    return waitFor(heard, {
      what: `the program to say ${pattern}; it said:\n${this.stdout}${this.stderr}`,
      ...(timeoutMs ? { timeoutMs } : {}),
    });
  }

  async ended(timeoutMs = 100_000): Promise<Finished> {
    await withTimeout(this.#closed, timeoutMs, "the program");
    return { code: this.#child.exitCode, signal: this.#child.signalCode, stdout: this.stdout, stderr: this.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}

function path(options: { readonly program?: "bucardo" | "bucardo_ctl" }): string {
  return join(root, "bin", options.program ?? "bucardo");
}
