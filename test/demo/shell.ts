import type { Finished } from "../harness/exec.ts";
import { runProgram } from "../harness/program.ts";
import { command, output } from "./screen.ts";

/** The demo's prompt: shows a command, runs the real program with it, shows what it printed. */
export class Shell {
  readonly #cwd: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #signal: AbortSignal;

  constructor(cwd: string, env: NodeJS.ProcessEnv, signal: AbortSignal) {
    this.#cwd = cwd;
    this.#env = env;
    this.#signal = signal;
  }

  /** `line` begins with bucardo_ctl and has no quotes. A failure ends the demo. */
  async run(line: string): Promise<Finished> {
    command(line);
    const finished = await this.quietly(line);
    output(finished.stdout + finished.stderr);
    return finished;
  }

  /** The same without showing it: for measuring. */
  async quietly(line: string): Promise<Finished> {
    this.#signal.throwIfAborted();
    const [, ...args] = line.split(" ");
    const finished = await runProgram(args, { program: "bucardo_ctl", cwd: this.#cwd, env: this.#env });
    this.#signal.throwIfAborted();
    if (finished.code !== 0) {
      output(finished.stdout + finished.stderr);
      throw new Error(`${line}: ended with ${finished.signal ?? finished.code}`);
    }
    return finished;
  }
}
