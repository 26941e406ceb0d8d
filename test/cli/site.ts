import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Major } from "../harness/binaries.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { scratch } from "../harness/scratch.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { line, type Line, type LineOptions } from "./line.ts";

/** An installation of its own: a control database, a home with an rc file, and as many databases as wanted. */
export type Site = AsyncDisposable & {
  readonly home: string;
  readonly control: TestDatabase;
  /** `A`, `B`, `C`: created, not registered. */
  readonly databases: readonly TestDatabase[];
  /** One command line, split at blanks outside of quotes. `$A` stands for the connection keys of the first database, and so on. */
  run(command: string, options?: Partial<LineOptions>): Promise<Line>;
  /** The same; throws when the exit code is not 0. Its output. */
  ok(command: string, options?: Partial<LineOptions>): Promise<string>;
};

export type SiteOptions = { readonly majors: readonly Major[]; readonly schema?: string; readonly install?: boolean };

const NAMES = ["A", "B", "C", "D"];

/** Databases get `schema` (SQL) each. The control database is on the server of the last. */
export async function openSite({ majors, schema, install = true }: SiteOptions): Promise<Site> {
  const opened: AsyncDisposable[] = [];
  const keep = <T extends AsyncDisposable>(resource: T): T => (opened.unshift(resource), resource);
  const home = keep(await scratch()).path;
  const databases: TestDatabase[] = [];
  for (const major of majors) databases.push(keep(await createDatabase(await sharedServer(major))));
  const server = await sharedServer(majors.at(-1) ?? 18);
  const control = keep(await createDatabase(server));
  if (schema !== undefined) for (const database of databases) await database.query(schema);
  await writeFile(join(home, ".bucardorc"), `dbhost=${server.host}\ndbport=${server.port}\ndbname=${control.name}\ndbuser=postgres\n`);

  const run = (command: string, options: Partial<LineOptions> = {}): Promise<Line> =>
    line(split(expand(command, databases)), { home, ...options });
  const ok = async (command: string, options: Partial<LineOptions> = {}): Promise<string> => {
    const { code, out, err } = await run(command, options);
    if (code !== 0) throw new Error(`bucardo ${command}: exit code ${code}\n${out}${err}`);
    return out;
  };
  if (install) await ok(`install --batch --piddir=${join(home, "pid")}`);
  return { home, control, databases, run, ok, [Symbol.asyncDispose]: dispose };

  async function dispose(): Promise<void> {
    for (const resource of opened) await resource[Symbol.asyncDispose]();
  }
}

/** `$A` -> `dbname=... host=... port=... user=postgres` */
function expand(command: string, databases: readonly TestDatabase[]): string {
  return command.replace(/\$([A-D])\b/g, (_whole, name: string) => {
    const database = databases[NAMES.indexOf(name)];
    if (database === undefined) throw new Error(`no database ${name} in this site`);
    return `dbname=${database.name} host=${database.server.host} port=${database.server.port} user=postgres`;
  });
}

function split(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}
