import type pg from "pg";
import { onServer, TestDatabase } from "../test/harness/database.ts";
import { createPgbench, fillPgbench } from "../test/harness/pgbench.ts";
import type { Server } from "../test/harness/server.ts";
import { waitFor } from "../test/harness/wait.ts";
import type { DatabasePair, Peer } from "./peers/peer.ts";
import { cloneDatabase, startPair, type ServerPair } from "./servers.ts";

/** The tables of pgbench that have a key: nobody here replicates updates of one without. */
export const keyedTables = ["public.pgbench_accounts", "public.pgbench_tellers", "public.pgbench_branches"] as const;
/** A row that is changed last says, when it arrives, that all the rest has. */
export const marker = "public.bench_marker";

const template = "template_bench";

/** Makes a database `template` with the tables of pgbench and the marker on both servers, ready to be cloned. */
export async function makeTemplates(pair: ServerPair, scale: number): Promise<void> {
  await Promise.all([makeTemplate(pair.source, scale), makeTemplate(pair.target, scale)]);
}

async function makeTemplate(server: Server, scale: number): Promise<void> {
  await onServer(server, (admin) => admin.query(`create database ${template}`));
  await onServer(server, (client) => fill(client, scale), template);
}

async function fill(client: pg.Client, scale: number): Promise<void> {
  await createPgbench(client);
  await fillPgbench(client, scale);
  await client.query(`create table ${marker} (id integer primary key, value bigint not null)`);
  await client.query(`insert into ${marker} values (1, 0)`);
  await client.query("vacuum (freeze, analyze)");
  await client.query("checkpoint");
}

export async function clonePair(pair: ServerPair): Promise<DatabasePair & AsyncDisposable> {
  const source = await cloneDatabase(pair.source, template);
  const target = await cloneDatabase(pair.target, template);
  return {
    source,
    target,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

/**
 * Databases for one measurement of a peer. One that the servers must load gets servers of its own, which end with it: with pglogical's
 * supervisor a database cannot be dropped, and nobody else shall have it in his server.
 */
export async function pairFor(peer: Peer, shared: ServerPair, scale: number): Promise<DatabasePair & Servers & AsyncDisposable> {
  if (peer.preload === undefined) return Object.assign(await clonePair(shared), { servers: shared });
  const servers = await startPair({ ...shared.options, preload: [peer.preload] });
  await makeTemplates(servers, scale);
  return {
    servers,
    source: new TestDatabase(servers.source, template),
    target: new TestDatabase(servers.target, template),
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  };
}

type Servers = { readonly servers: ServerPair };

export async function mark(source: TestDatabase, value: number): Promise<void> {
  await source.query(`update ${marker} set value = ${value} where id = 1`);
}

/** Waits until the target shows the value. */
export async function untilMarked(target: TestDatabase, value: number, timeoutMs: number, everyMs = 5): Promise<void> {
  const arrived = async (): Promise<boolean> => {
    const [row] = await target.query<{ value: string }>(`select value from ${marker} where id = 1`);
    return Number(row?.value) >= value;
  };
  await waitFor(arrived, { what: "the last change to arrive", timeoutMs, everyMs });
}

/** Throws when a table is not the same on both sides. Not part of any timing. */
export async function requireEqual({ source, target }: DatabasePair, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const text = `select count(*) as rows, coalesce(sum(hashtextextended(t::text, 0)), 0) as sum from ${table} t`;
    const [ours, theirs] = await Promise.all([source.one(text), target.one(text)]);
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
      throw new Error(`${table} differs: ${JSON.stringify(ours)} on the source, ${JSON.stringify(theirs)} on the target`);
    }
  }
}
