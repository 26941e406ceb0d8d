import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Disposer } from "../../src/base/disposer.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { runProgram } from "../harness/program.ts";
import { scratch, type Scratch } from "../harness/scratch.ts";
import type { ServerAddress } from "../harness/server.ts";
import { createTransfers, totalOfTransfers } from "../harness/transfers.ts";
import { auditor, type Audit } from "./audit.ts";

const ACCOUNTS = 200;

/** What the program is given on a real machine: a folder with its rc file, three databases, and a sync `s` from A to B over the transfers. */
export type Site = AsyncDisposable & {
  readonly home: Scratch;
  readonly control: TestDatabase;
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  /** Reads the sum on the target again and again: every snapshot must hold all the money. */
  audit(): Audit;
};

export type SiteOptions = {
  readonly source: ServerAddress;
  /** Holds the control database too. */
  readonly target: ServerAddress;
};

export async function openSite(servers: SiteOptions): Promise<Site> {
  await using cleanup = new Disposer();
  const control = cleanup.use(await createDatabase(servers.target));
  const source = cleanup.use(await createDatabase(servers.source));
  const target = cleanup.use(await createDatabase(servers.target));
  const home = cleanup.use(await scratch());
  const rc = {
    dbhost: control.server.host,
    dbport: control.server.port,
    dbname: control.name,
    dbuser: "postgres",
    piddir: home.path,
    logdest: home.path,
  };
  await writeFile(
    join(home.path, ".bucardorc"),
    Object.entries({ ...rc, log_level: "debug", retry_first: "20 ms", retry_longest: "1 second", lag_interval: "500 ms" })
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  for (const database of [source, target]) await createTransfers(await database.client(), ACCOUNTS);
  const at = ({ server }: TestDatabase): string => `host=${server.host} port=${server.port} user=postgres`;
  const lines = [
    "install --batch",
    `add db A dbname=${source.name} ${at(source)}`,
    `add db B dbname=${target.name} ${at(target)}`,
    "add sync s dbs=A:source,B:target tables=transfers_account",
  ];
  for (const line of lines) await command(home, line);
  const whole = cleanup.move();
  return {
    home,
    control,
    source,
    target,
    audit: () => auditor(target, totalOfTransfers.replace("as total", "as state"), String(ACCOUNTS * 1000)),
    [Symbol.asyncDispose]: () => whole[Symbol.asyncDispose](),
  };
}

/** A command line that must succeed. */
export async function command(home: Scratch, line: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram(line.split(" "), { cwd: home.path });
  if (code !== 0) throw new Error(`${line}: ${stderr}${stdout}`);
  return stdout;
}

export function equal(site: Site): Promise<string[]> {
  return equalTables(site.source, site.target, ["transfers_account"]);
}
