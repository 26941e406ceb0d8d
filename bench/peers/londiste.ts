import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Disposer } from "../../src/base/disposer.ts";
import { scratch } from "../../test/harness/scratch.ts";
import { signal } from "../../test/harness/watchdog.ts";
import type { TestDatabase } from "../../test/harness/database.ts";
import { largestPeak } from "../process-memory.ts";
import { runTool, Tool } from "../program.ts";
import { hasExtension } from "../servers.ts";
import { mark, untilMarked } from "../tables.ts";
import { conninfo } from "./conninfo.ts";
import type { DatabasePair, Mode, Peer, Replication } from "./peer.ts";

const program = "/usr/bin/londiste";
const installed = existsSync(program) && existsSync("/usr/bin/pgqd") && hasExtension("londiste") && hasExtension("pgq");

/** Londiste 3 on PgQ, with the settings that it has by default. */
export const londiste: Peer = {
  name: "londiste",
  missing: () => (installed ? null : "python3-londiste, pgqd or their server parts are not installed"),
  async capture(pair, tables) {
    await using opening = new Disposer();
    const folder = await openRoot(opening, pair.source);
    await runTool(program, ["source.ini", "add-table", ...tables], folder);
    return opening.move();
  },
  async replicate(pair, tables, mode) {
    await using opening = new Disposer();
    const folder = await openRoot(opening, pair.source);
    return await startWorkers(opening, folder, pair, tables, mode);
  },
};

async function openRoot(opening: Disposer, source: TestDatabase): Promise<string> {
  const { path: folder } = opening.use(await scratch());
  await writeIni(folder, "source", source);
  await runTool(program, ["source.ini", "create-root", "source", conninfo(source)], folder);
  return folder;
}

async function startWorkers(
  opening: Disposer,
  folder: string,
  { source, target }: DatabasePair,
  tables: readonly string[],
  mode: Mode,
): Promise<Replication> {
  await writeIni(folder, "target", target);
  const { host, port } = source.server;
  const ticker = [`logfile = ${folder}/pgqd.log`, `pidfile = ${folder}/pgqd.pid`, `base_connstr = host=${host} port=${port} user=postgres`];
  await writeFile(join(folder, "pgqd.ini"), ["[pgqd]", ...ticker, `database_list = ${source.name}`, ""].join("\n"));
  opening.use(new Tool("/usr/bin/pgqd", ["pgqd.ini"], folder, "pgqd-output"));
  await runTool(program, ["target.ini", "create-leaf", "target", conninfo(target), `--provider=${conninfo(source)}`], folder);
  opening.use(new Tool(program, ["source.ini", "worker"], folder, "source-worker"));
  const worker = opening.use(new Tool(program, ["target.ini", "worker"], folder, "target-worker"));
  await runTool(program, ["source.ini", "add-table", ...tables], folder);
  await runTool(program, ["target.ini", "add-table", "--expect-sync", ...tables], folder);
  await mark(source, 1);
  await untilMarked(target, 1, 120_000);
  const pids = worker.pids;
  if (mode === "held") signal(pids, "SIGSTOP");
  const ended = opening.move();
  return {
    release: async () => signal(pids, "SIGCONT"),
    pids: () => pids,
    peakMemory: () => largestPeak(pids),
    async [Symbol.asyncDispose]() {
      signal(pids, "SIGCONT");
      await ended[Symbol.asyncDispose]();
    },
  };
}

async function writeIni(folder: string, name: string, database: TestDatabase): Promise<void> {
  const lines = [
    "[londiste]",
    `job_name = ${name}`,
    `db = ${conninfo(database)}`,
    "queue_name = bench",
    `logfile = ${folder}/${name}.log`,
    `pidfile = ${folder}/${name}.pid`,
  ];
  await writeFile(join(folder, `${name}.ini`), `${lines.join("\n")}\n`);
}
