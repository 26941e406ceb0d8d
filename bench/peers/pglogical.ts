import { signal } from "../../test/harness/watchdog.ts";
import { waitFor } from "../../test/harness/wait.ts";
import { hasExtension } from "../servers.ts";
import { mark, untilMarked } from "../tables.ts";
import { conninfo } from "./conninfo.ts";
import type { DatabasePair, Peer, Replication } from "./peer.ts";

/** pglogical 2 with the settings that it has by default. */
export const pglogical: Peer = {
  name: "pglogical",
  missing: () => (hasExtension("pglogical") ? null : "postgresql-15-pglogical is not installed"),
  preload: "pglogical",
  async replicate(pair, tables, mode) {
    const { source, target } = pair;
    for (const [name, database] of [["source", source] as const, ["target", target] as const]) {
      await database.query("create extension pglogical");
      await database.query("select pglogical.create_node($1, $2)", [name, conninfo(database)]);
    }
    // Since 15.19 a server refuses other decoders than its own unless told; older ones do not know the setting.
    await source.query(`alter database "${source.name}" set output_plugin_libraries = pgoutput, pglogical_output`).catch(() => undefined);
    for (const table of tables) await source.query("select pglogical.replication_set_add_table('default', $1::regclass)", [table]);
    await target.query("select pglogical.create_subscription('bench', $1, array['default'], false, false)", [conninfo(source)]);
    // The slot is made by the worker, after the call.
    const workers = await workerPids(pair);
    await mark(source, 1);
    await untilMarked(target, 1, 60_000);
    if (mode === "held") signal(workers, "SIGSTOP");
    return replication(pair, workers);
  },
};

function replication({ source, target }: DatabasePair, workers: readonly number[]): Replication {
  return {
    release: async () => signal(workers, "SIGCONT"),
    pids: () => [],
    peakMemory: () => null,
    async [Symbol.asyncDispose]() {
      signal(workers, "SIGCONT");
      await target.query("select pglogical.drop_subscription('bench')");
      for (const [name, database] of [["target", target] as const, ["source", source] as const]) {
        await database.query("select pglogical.drop_node($1)", [name]);
        await database.query("drop extension pglogical");
      }
    },
  };
}

async function workerPids({ source, target }: DatabasePair): Promise<number[]> {
  const sender = "select pid from pg_stat_replication where application_name = 'bench' and state = 'streaming'";
  const worker = "select pid from pg_stat_activity where datname = current_database() and application_name like 'pglogical apply %'";
  return [
    await waitFor(async () => (await source.one<{ pid: number }>(sender)).pid, { what: "pglogical's walsender to stream" }),
    await waitFor(async () => (await target.one<{ pid: number }>(worker)).pid, { what: "pglogical's apply worker" }),
  ];
}
