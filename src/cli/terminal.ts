import { createInterface } from "node:readline";
import { orAbort } from "../base/abort.ts";
import type { Io } from "../operations/io.ts";

export type Streams = {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: NodeJS.WritableStream;
};

/** The terminal as operations see it. `silent` drops what was done (--quiet); warnings and errors always appear. */
export function openTerminal(
  streams: Streams,
  options: { readonly verbose: number; readonly silent: boolean; readonly signal: AbortSignal },
): Io & Disposable {
  let lines: AsyncIterator<string> | null = null;
  let reader: ReturnType<typeof createInterface> | null = null;
  const write = (text: string): void => {
    if (!options.silent) streams.stdout.write(text);
  };
  return {
    interactive: streams.stdin.isTTY === true,
    isTerminal: streams.stdout.isTTY === true,
    // Asked anew each time: windows change.
    get width() {
      return streams.stdout.columns ?? 80;
    },
    get height() {
      return streams.stdout.rows;
    },
    onResize(changed) {
      streams.stdout.on("resize", changed);
      return { [Symbol.dispose]: () => void streams.stdout.removeListener("resize", changed) };
    },
    verbose: options.verbose,
    out: (line) => write(`${line}\n`),
    write,
    err: (line) => void streams.stderr.write(`${line}\n`),
    async ask(question) {
      // Questions are part of a dialogue, so --quiet does not hide them.
      streams.stdout.write(question);
      reader ??= createInterface({ input: streams.stdin, terminal: false });
      lines ??= reader[Symbol.asyncIterator]();
      const next = await orAbort(lines.next(), options.signal);
      return next.done === true ? null : next.value;
    },
    [Symbol.dispose]() {
      reader?.close();
    },
  };
}
