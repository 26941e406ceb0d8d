import { Disposer } from "../../src/base/disposer.ts";
import { scratch } from "../../test/harness/scratch.ts";
import { signal } from "../../test/harness/watchdog.ts";
import { existsSync } from "node:fs";
import { waitFor } from "../../test/harness/wait.ts";
import { largestPeak } from "../process-memory.ts";
import { runTool, Tool } from "../program.ts";
import { hasLibrary } from "../servers.ts";
import { mark, untilMarked } from "../tables.ts";
import { conninfo } from "./conninfo.ts";
import type { DatabasePair, Peer, Replication } from "./peer.ts";

/** Slony-I 2.2 with the settings that it has by default. */
export const slony: Peer = {
  name: "slony",
  missing: () =>
    existsSync("/usr/bin/slon") && hasLibrary("slony1_funcs.2.2.11") ? null : "slony1-2-bin or its server part is not installed",
  capture: async (pair, tables) => (await openCluster(pair, tables)).cleanup,
  replicate: async (pair, tables, mode) => {
    const cluster = await openCluster(pair, tables);
    await using starting = cluster.cleanup;
    // Each slon must find the other when it asks: both first, then the subscription.
    const [, subscriber] = [pair.source, pair.target].map((database, at) =>
      starting.use(new Tool("slon", ["bench", conninfo(database)], cluster.folder, `slon-${at + 1}`)),
    ) as [Tool, Tool];
    await slonik(cluster.folder, pair, "subscribe set (id = 1, provider = 1, receiver = 2, forward = no, omit copy = yes);");
    const active = "select from _bench.sl_subscribe where sub_receiver = 2 and sub_active";
    await waitFor(async () => (await pair.target.query(active)).length === 1, { what: "Slony's subscription", timeoutMs: 120_000 });
    await mark(pair.source, 1);
    await untilMarked(pair.target, 1, 120_000);
    const pids = subscriber.pids;
    if (mode === "held") signal(pids, "SIGSTOP");
    const ended = starting.move();
    const replication: Replication = {
      release: async () => signal(pids, "SIGCONT"),
      pids: () => pids,
      peakMemory: () => largestPeak(pids),
      async [Symbol.asyncDispose]() {
        signal(pids, "SIGCONT");
        await ended[Symbol.asyncDispose]();
      },
    };
    return replication;
  },
};

/** Both nodes know each other and the tables are in a set; from here on the source notes what changes. */
async function openCluster(pair: DatabasePair, tables: readonly string[]): Promise<{ folder: string; cleanup: Disposer }> {
  await using opening = new Disposer();
  const { path: folder } = opening.use(await scratch());
  const added = tables.map((table, at) => `set add table (set id = 1, origin = 1, id = ${at + 1}, fully qualified name = '${table}');`);
  const text = [
    "init cluster (id = 1, comment = 'source');",
    "create set (id = 1, origin = 1, comment = 'bench');",
    ...added,
    "store node (id = 2, comment = 'target', event node = 1);",
    `store path (server = 1, client = 2, conninfo = '${conninfo(pair.source)}');`,
    `store path (server = 2, client = 1, conninfo = '${conninfo(pair.target)}');`,
  ];
  await slonik(folder, pair, text.join("\n"));
  return { folder, cleanup: opening.move() };
}

async function slonik(folder: string, { source, target }: DatabasePair, text: string): Promise<void> {
  const head = [
    "cluster name = bench;",
    `node 1 admin conninfo = '${conninfo(source)}';`,
    `node 2 admin conninfo = '${conninfo(target)}';`,
  ];
  await runTool("slonik", [], folder, `${[...head, text].join("\n")}\n`);
}
