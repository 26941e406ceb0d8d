import { spawn } from "node:child_process";
import type { SpawnOptions } from "node:child_process";

export type Finished = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs a program to its end, whatever its exit code; rejects only when it cannot be started. */
export function exec(command: string, args: readonly string[], options: SpawnOptions & { input?: string } = {}): Promise<Finished> {
  const { input, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...spawnOptions, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin?.on("error", () => undefined); // a program that does not read its input is no error of ours
    child.stdin?.end(input);
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Like {@link exec}, but an exit code other than 0 is an error that shows what the program said. */
export async function execOrFail(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await exec(command, args, options);
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")}: ended with ${signal ?? code}\n${stderr || stdout}`);
  return stdout;
}
