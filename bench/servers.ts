import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { binaries, type Binaries, type Major } from "../test/harness/binaries.ts";
import { onServer, TestDatabase } from "../test/harness/database.ts";
import { startServer, type Server } from "../test/harness/server.ts";

type Settings = Readonly<Record<string, string | number | boolean>>;

/** What Debian 12 has; the peers are built for it. */
const major: Major = 15;
const debian = `/usr/lib/postgresql/${major}`;

export const debianIsHere: boolean = existsSync(`${debian}/bin/initdb`);

/** Debian's where they are installed, so that every contender meets the same server; otherwise npm's. */
export function benchPrograms(): Binaries {
  if (!debianIsHere) return binaries(major);
  const postgres = `${debian}/bin/postgres`;
  const version = /\d+\.\d+/.exec(execFileSync(postgres, ["--version"], { encoding: "utf8" }))?.[0] ?? String(major);
  return { major, version: `${version}-debian`, initdb: `${debian}/bin/initdb`, postgres };
}

/** True when the library is one of Debian's server. */
export function hasLibrary(name: string): boolean {
  return debianIsHere && existsSync(`${debian}/lib/${name}.so`);
}

/** True when `create extension` knows it. */
export function hasExtension(name: string): boolean {
  return debianIsHere && existsSync(`/usr/share/postgresql/${major}/extension/${name}.control`);
}

/** Settings of all servers here: enough memory and log for the tables to be in cache, and nothing that happens at random. */
const common: Settings = {
  shared_buffers: "768MB",
  max_wal_size: "8GB",
  min_wal_size: "1GB",
  checkpoint_timeout: "30min",
  wal_level: "logical",
  max_wal_senders: 20,
  max_replication_slots: 20,
  max_logical_replication_workers: 10,
  max_worker_processes: 40,
  wal_sender_timeout: 0,
  wal_receiver_timeout: 0,
  full_page_writes: true,
  autovacuum: false,
  track_commit_timestamp: true,
  // In the log of a throw-away server only: a peer that goes wrong says why there.
  log_min_messages: "warning",
};

export type PairOptions = { readonly durable?: boolean; readonly preload?: readonly string[]; readonly settings?: Settings };
export type ServerPair = AsyncDisposable & { readonly source: Server; readonly target: Server; readonly options: PairOptions };

/** Two servers with the same settings. `durable` flushes to disk; without it the processor is the limit. */
export async function startPair(options: PairOptions = {}): Promise<ServerPair> {
  const libraries = options.preload ?? [];
  const start = (): Promise<Server> =>
    startServer({
      major,
      programs: benchPrograms(),
      durable: options.durable ?? false,
      settings: { ...common, ...(libraries.length > 0 ? { shared_preload_libraries: libraries.join(",") } : {}), ...options.settings },
    });
  const source = await start();
  try {
    const target = await start();
    return {
      source,
      target,
      options,
      async [Symbol.asyncDispose]() {
        await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()]);
      },
    };
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

/** A copy of a database, file by file. */
export async function cloneDatabase(server: Server, template: string): Promise<TestDatabase> {
  const name = `b${randomBytes(5).toString("hex")}`;
  await onServer(server, (admin) => admin.query(`create database ${name} template ${template} strategy file_copy`));
  return new TestDatabase(server, name);
}

export async function checkpoint({ source, target }: ServerPair): Promise<void> {
  await Promise.all([source, target].map((server) => onServer(server, (admin) => admin.query("checkpoint"))));
}
