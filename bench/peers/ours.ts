import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { requestKickByName } from "../../src/control/kick.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { createDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { keysOf, openHome, type Home } from "../../test/e2e/home.ts";
import { largestPeak } from "../process-memory.ts";
import { mark, untilMarked } from "../tables.ts";
import type { DatabasePair, Peer, Replication } from "./peer.ts";

/** This checkout: the real program and its daemon. The control database is on the target's server, as in the README. */
export const ours: Peer = {
  name: "ours",
  missing: () => null,
  async capture(pair, tables) {
    return openSite(pair, tables, false);
  },
  async replicate(pair, tables, mode) {
    const site = await openSite(pair, tables, mode === "live");
    try {
      return await start(site, pair);
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
  },
};

export type Site = AsyncDisposable & { readonly home: Home; readonly control: TestDatabase; readonly pidFolder: string };

/** A control database with one sync `bench`; the source captures, no daemon runs. */
export async function openSite(pair: DatabasePair, tables: readonly string[], autokick: boolean): Promise<Site> {
  const control = await createDatabase(pair.target.server);
  const home = await openHome(control);
  const pidFolder = join(home.path, "pid");
  const site: Site = {
    home,
    control,
    pidFolder,
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]();
      await control[Symbol.asyncDispose]();
    },
  };
  try {
    await mkdir(pidFolder);
    await home.ok(
      `install --batch --dbhost=${control.server.host} --dbport=${control.server.port} --dbuser=postgres --dbname=${control.name}`,
    );
    await home.ok(`add db A ${keysOf(pair.source)}`);
    await home.ok(`add db B ${keysOf(pair.target)}`);
    await home.ok(`add sync bench tables=${tables.join(",")} dbs=A:source,B:target autokick=${autokick ? "on" : "off"}`);
    return site;
  } catch (error) {
    await site[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts the daemon and waits until it has delivered a first change. */
export async function start(site: Site, pair: DatabasePair): Promise<Replication> {
  await site.home.ok("start");
  const pid = Number(readFileSync(join(site.pidFolder, "bucardo.mcp.pid"), "utf8").split("\n")[0]);
  const { host, port, user, database: dbname } = site.control.connection;
  const session: Session = await connect({ name: "control", host, port, user, dbname });
  await mark(pair.source, 1);
  await requestKickByName(session, "bench");
  await untilMarked(pair.target, 1, 30_000).catch((error: unknown) => {
    throw new Error(`${String(error)}; the daemon's log:\n${logOf(site)}`);
  });
  return {
    release: async () => void (await requestKickByName(session, "bench")),
    pids: () => [pid],
    peakMemory: () => largestPeak([pid]),
    async [Symbol.asyncDispose]() {
      await session.close();
      await site.home.run("stop");
      await site[Symbol.asyncDispose]();
    },
  };
}

function logOf(site: Site): string {
  return readFileSync(join(site.home.path, "log.bucardo"), "utf8").slice(-1500);
}
