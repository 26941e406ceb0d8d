import type { Finished } from "../harness/exec.ts";
import { runProgram, spawnProgram } from "../harness/program.ts";
import { command, output } from "./screen.ts";

/** Longer than any command of the demo takes. */
const LIMIT_MS = 120_000;

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

  /** `line` begins with bucardo and has no quotes. A failure ends the demo. */
  async run(line: string): Promise<Finished> {
    command(line);
    const finished = await this.quietly(line);
    output(finished.stdout + finished.stderr);
    return finished;
  }

  /** The same for a command that takes its time: what it prints is shown as it comes. */
  async stream(line: string): Promise<void> {
    command(line);
    this.#signal.throwIfAborted();
    const [, ...args] = line.split(" ");
    await using running = await spawnProgram(args, { cwd: this.#cwd, env: this.#env });
    const stop = (): void => running.kill("SIGINT");
    this.#signal.addEventListener("abort", stop, { once: true });
    let shown = 0;
    const show = (whole: boolean): void => {
      const end = whole ? running.stdout.length : running.stdout.lastIndexOf("\n") + 1;
      output(running.stdout.slice(shown, end));
      shown = Math.max(shown, end);
    };
    const ticker = setInterval(() => show(false), 100);
    const { code, stderr } = await running.ended(LIMIT_MS).finally(() => {
      clearInterval(ticker);
      this.#signal.removeEventListener("abort", stop);
    });
    show(true);
    this.#signal.throwIfAborted();
    output(stderr);
    if (code !== 0) throw new Error(`${line}: ended with ${code}`);
  }

  /** The same without showing it: for measuring. */
  async quietly(line: string): Promise<Finished> {
    this.#signal.throwIfAborted();
    const [, ...args] = line.split(" ");
    const finished = await runProgram(args, { cwd: this.#cwd, env: this.#env });
    this.#signal.throwIfAborted();
    if (finished.code !== 0) {
      output(finished.stdout + finished.stderr);
      throw new Error(`${line}: ended with ${finished.signal ?? finished.code}`);
    }
    return finished;
  }
}
