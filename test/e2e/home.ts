import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestDatabase } from "../harness/database.ts";
import type { Finished } from "../harness/exec.ts";
import { runProgram, type ProgramOptions } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";

export type RunOptions = Omit<ProgramOptions, "cwd">;

/** A folder from which the program finds its control database; daemons that it starts end with it. */
export type Home = AsyncDisposable & {
  readonly path: string;
  /** One command line, split at blanks outside of quotes, whatever its exit code. */
  readonly run: (line: string, options?: RunOptions) => Promise<Finished>;
  /** The same; an exit code other than 0, or anything on stderr, is an error. What it printed. */
  readonly ok: (line: string, options?: RunOptions) => Promise<string>;
  /** The same with --json, parsed. */
  readonly json: <T>(line: string) => Promise<T>;
};

/** Writes an rc file that leads to `control`; `more` are further lines of it. */
export async function openHome(control: TestDatabase, more: readonly string[] = []): Promise<Home> {
  const folder = await scratch();
  await writeFile(
    join(folder.path, ".bucardorc"),
    rcText(control, [`piddir=${join(folder.path, "pid")}`, `logdest=${folder.path}`, ...more]),
  );
  const run = (line: string, options: RunOptions = {}): Promise<Finished> => runProgram(split(line), { cwd: folder.path, ...options });
  const ok = async (line: string, options: RunOptions = {}): Promise<string> => {
    const { code, stdout, stderr } = await run(line, options);
    if (code !== 0 || stderr !== "") throw new Error(`bucardo ${line}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    path: folder.path,
    run,
    ok,
    json: async <T>(line: string) => JSON.parse(await ok(`${line} --json`)) as T,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

export function rcText({ name, server }: TestDatabase, more: readonly string[] = []): string {
  return [`dbhost=${server.host}`, `dbport=${server.port}`, `dbname=${name}`, "dbuser=postgres", ...more, ""].join("\n");
}

/** Keys of `add db`. */
export function keysOf({ name, server }: TestDatabase): string {
  return `dbname=${name} host=${server.host} port=${server.port} user=postgres`;
}

/** At blanks outside of quotes, as a shell does. */
export function split(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}
