import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { Disposer } from "../src/base/disposer.ts";
import { createDatabase, type TestDatabase } from "../test/harness/database.ts";
import { keysOf, openHome, type Home } from "../test/e2e/home.ts";
import { largestPeak } from "./process-memory.ts";
import type { ServerPair } from "./servers.ts";

export type Many = AsyncDisposable & {
  readonly home: Home;
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly control: TestDatabase;
};

export type RunningDaemon = { readonly pid: number; readonly peakMemory: () => number | null };

/** Two databases with tables t1 to tn, and a control database that knows them as A and B. */
export async function openMany(servers: ServerPair, tables: number): Promise<Many> {
  await using opening = new Disposer();
  const source = opening.use(await createDatabase(servers.source));
  const target = opening.use(await createDatabase(servers.target));
  const control = opening.use(await createDatabase(servers.target));
  for (const database of [source, target]) {
    // In parts: the server keeps a lock on each until the transaction's end.
    for (let first = 1; first <= tables; first += 500) {
      await database.query(`do $$ begin for n in ${first}..${Math.min(tables, first + 499)} loop
        execute format('create table t%s (id integer primary key, value integer not null)', n);
        execute format('insert into t%s values (1, 0)', n); end loop; end $$`);
    }
    await database.query("analyze");
  }
  const home = opening.use(await openHome(control));
  await mkdir(join(home.path, "pid"));
  const { host, port } = control.server;
  await home.ok(`install --batch --dbhost=${host} --dbport=${port} --dbuser=postgres --dbname=${control.name}`);
  await home.ok(`add db A ${keysOf(source)}`);
  await home.ok(`add db B ${keysOf(target)}`);
  const opened = opening.move();
  return { home, source, target, control, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

export async function startDaemon(home: Home): Promise<RunningDaemon & AsyncDisposable> {
  await home.ok("start", { timeoutMs: 300_000 });
  const pid = Number(readFileSync(join(home.path, "pid", "bucardo.mcp.pid"), "utf8").split("\n")[0]);
  return { pid, peakMemory: () => largestPeak([pid]), [Symbol.asyncDispose]: async () => void (await home.run("stop")) };
}

/** As many syncs as tables, one each, and a daemon that runs them all. */
export async function startSyncs(servers: ServerPair, syncs: number): Promise<Many & { readonly daemon: RunningDaemon }> {
  await using opening = new Disposer();
  const many = opening.use(await openMany(servers, syncs));
  for (let n = 1; n <= syncs; n++) await many.home.ok(`add sync s${n} tables=t${n} dbs=A:source,B:target`);
  const daemon = opening.use(await startDaemon(many.home));
  const opened = opening.move();
  return { ...many, daemon, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}
