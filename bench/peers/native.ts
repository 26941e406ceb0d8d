import { signal } from "../../test/harness/watchdog.ts";
import { waitFor } from "../../test/harness/wait.ts";
import { mark, untilMarked } from "../tables.ts";
import type { DatabasePair, Peer, Replication } from "./peer.ts";

/** PostgreSQL's own: a publication and a subscription with the settings that it has by default. */
export const native: Peer = {
  name: "native",
  missing: () => null,
  async replicate(pair, tables, mode) {
    const { source, target } = pair;
    const name = `bench_${target.name}`;
    await source.query(`create publication bench for table ${tables.join(", ")}`);
    await target.query(
      `create subscription ${name} connection 'host=${source.server.socketDir} port=${source.server.port} user=postgres dbname=${source.name}'
         publication bench with (copy_data = false)`,
    );
    await mark(source, 1);
    await untilMarked(target, 1, 60_000);
    const workers = await workerPids(pair, name);
    // The walsender and the worker of the target sleep while the changes are made, so that no start-up is in the timing.
    if (mode === "held") signal(workers, "SIGSTOP");
    return replication(pair, name, workers);
  },
};

function replication({ target }: DatabasePair, name: string, workers: readonly number[]): Replication {
  return {
    release: async () => signal(workers, "SIGCONT"),
    pids: () => [],
    peakMemory: () => null,
    async [Symbol.asyncDispose]() {
      signal(workers, "SIGCONT");
      await target.query(`drop subscription ${name}`);
    },
  };
}

async function workerPids({ source, target }: DatabasePair, name: string): Promise<number[]> {
  const sender = await waitFor(
    async () =>
      (await source.one<{ pid: number }>("select pid from pg_stat_replication where application_name = $1 and state = 'streaming'", [name]))
        .pid,
    { what: "the walsender to stream" },
  );
  const worker = await target.one<{ pid: number }>("select pid from pg_stat_subscription where subname = $1 and relid is null", [name]);
  return [sender, worker.pid];
}
