import { PassThrough, Readable } from "node:stream";
import { main } from "../../src/cli/main.ts";

export type Line = { readonly code: number; readonly out: string; readonly err: string };

export type LineOptions = {
  /** Also HOME: rc file, key file and default pid directory are looked for here. */
  readonly home: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly program?: "bucardo" | "bucardo_ctl";
  /** What a person types; makes the input a terminal. */
  readonly typed?: string;
  readonly signal?: AbortSignal;
};

/** Runs one command line in this process, exactly as bin/bucardo does. */
export async function line(argv: readonly string[], options: LineOptions): Promise<Line> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stdin = Object.assign(Readable.from(options.typed === undefined ? [] : [options.typed]), { isTTY: options.typed !== undefined });
  const code = await main({
    program: options.program ?? "bucardo",
    argv,
    stdin,
    stdout,
    stderr,
    env: { HOME: options.home, BUCARDO_HTTP: "off", ...options.env },
    cwd: options.home,
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, out: String(stdout.read() ?? ""), err: String(stderr.read() ?? "") };
}
