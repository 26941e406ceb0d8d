import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dropDatabase, onServer } from "../../test/harness/database.ts";
import { scratch } from "../../test/harness/scratch.ts";
import { waitFor } from "../../test/harness/wait.ts";
import { Disposer } from "../../src/base/disposer.ts";
import { largestPeak } from "../process-memory.ts";
import { endAll, runTool, withDescendants } from "../program.ts";
import { hasExtension } from "../servers.ts";
import { mark, untilMarked } from "../tables.ts";
import type { DatabasePair, Mode, Peer, Replication } from "./peer.ts";

const program = "/usr/bin/bucardo";
/** Its install knows no other name. */
const control = "bucardo";

/** Bucardo 5.6 in Perl, with the settings that it has by default; its control database is on the target's server. */
export const bucardo5: Peer = {
  name: "bucardo5",
  missing: () => (existsSync(program) && hasExtension("plperlu") ? null : "bucardo or postgresql-plperl-15 is not installed"),
  capture: async (pair, tables) => (await openSite(pair, tables, "held")).cleanup,
  replicate: async (pair, tables, mode) => startDaemon(pair, await openSite(pair, tables, mode)),
};

/** Its install makes this role; ours makes one of the same name, with fewer rights. */
const role = `do $$ begin create role bucardo superuser login; exception when duplicate_object then alter role bucardo superuser; end $$`;

type Site = { readonly folder: string; readonly cleanup: Disposer };

async function openSite({ source, target }: DatabasePair, tables: readonly string[], mode: Mode): Promise<Site> {
  await using opening = new Disposer();
  const { path: folder } = opening.use(await scratch());
  const { host, port } = target.server;
  await mkdir(join(folder, "pid"));
  const rc = [`dbhost=${host}`, `dbport=${port}`, `dbname=${control}`, "dbuser=postgres", `piddir=${folder}/pid`, `logdest=${folder}`];
  await writeFile(join(folder, ".bucardorc"), `${rc.join("\n")}\n`);
  opening.defer(() => dropDatabase(target.server, control));
  await onServer(target.server, (client) => client.query(role));
  await runTool(program, ["install", "--batch"], folder);
  await runTool(program, ["set", `reason_file=${folder}/reason`], folder);
  for (const [name, database] of [["A", source] as const, ["B", target] as const]) {
    const to = database.server;
    await runTool(program, ["add", "db", name, `dbname=${database.name}`, `host=${to.host}`, `port=${to.port}`, "user=postgres"], folder);
  }
  const autokick = mode === "live" ? 1 : 0;
  await runTool(program, ["add", "sync", "bench", "dbs=A:source,B:target", `tables=${tables.join(",")}`, `autokick=${autokick}`], folder);
  return { folder, cleanup: opening.move() };
}

async function startDaemon(pair: DatabasePair, { folder, cleanup }: Site): Promise<Replication> {
  await using starting = cleanup;
  await runTool(program, ["start"], folder);
  const pidFile = join(folder, "pid", "bucardo.mcp.pid");
  await waitFor(() => existsSync(pidFile), { what: "Bucardo's pid file" });
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  // It changes its title, and the mark in its environment with it.
  starting.defer(() => endAll(withDescendants([pid])));
  const kick = () => onServer(pair.target.server, (client) => client.query("notify bucardo, 'kick_sync_bench'"), control);
  await waitFor(() => readFileSync(join(folder, "log.bucardo"), "utf8").includes("Entering main loop"), {
    what: "Bucardo to be up",
    timeoutMs: 60_000,
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${readFileSync(join(folder, "log.bucardo"), "utf8").slice(-1500)}`);
  });
  await mark(pair.source, 1);
  await kick();
  await untilMarked(pair.target, 1, 60_000);
  const ended = starting.move();
  return {
    release: async () => void (await kick()),
    pids: () => withDescendants([pid]),
    peakMemory: () => largestPeak(withDescendants([pid])),
    [Symbol.asyncDispose]: () => ended[Symbol.asyncDispose](),
  };
}
