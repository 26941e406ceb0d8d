import { join } from "node:path";
import { Daemon } from "../../src/daemon/daemon.ts";
import type { DaemonOptions } from "../../src/daemon/options.ts";
import type { Tally } from "../../src/daemon/tally.ts";
import { connect } from "../../src/postgres/connect.ts";
import { memoryLog, type MemoryLog } from "../daemon/memory-log.ts";
import type { Site } from "./site.ts";

/** The daemon of a site, in this process; ends with the scope. Its sites' databases are registered with all their connection keys. */
export async function startDaemon(
  { control, home }: Pick<Site, "control"> & Partial<Pick<Site, "home">>,
  overrides: DaemonOptions["overrides"] = {},
): Promise<AsyncDisposable & { readonly log: MemoryLog; readonly tally: Tally }> {
  const { host, port, user, database: dbname } = control.connection;
  const log = memoryLog();
  const daemon = await Daemon.start({
    connectControl: () => connect({ name: "control", host, port, user, dbname }),
    connect: (database, signal) =>
      connect({
        name: database.name,
        host: database.host ?? host,
        port: database.port ?? port,
        user: database.user ?? user,
        dbname: database.dbname ?? dbname,
        ...(signal === undefined ? {} : { signal }),
      }),
    version: "test",
    reason: null,
    log,
    reopenLog: () => undefined,
    ...(home === undefined ? {} : { piddir: join(home, "pid") }),
    overrides: { lag_interval: "100 ms", ...overrides },
  });
  return { log, tally: daemon.tally, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}
