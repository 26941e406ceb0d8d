import { Disposer } from "../src/base/disposer.ts";
import type { TestDatabase } from "../test/harness/database.ts";
import type { BenchContext, Case, OpenCase, Target } from "./benchmark.ts";
import type { Peer } from "./peers/peer.ts";
import { checkpoint, startPair } from "./servers.ts";
import { makeTemplates, mark, marker, pairFor, requireEqual, untilMarked } from "./tables.ts";

/** The changes come in so many transactions: neither one that is larger than life, nor a million round trips. */
export const batches = 100;
const tables = ["public.pgbench_accounts", marker] as const;

export type Backlog = {
  readonly name: string;
  readonly setting: string;
  /** Rows of pgbench_accounts on both sides beforehand; a multiple of 100,000. */
  readonly accounts: number;
  readonly targets: readonly Target[];
  readonly change: (source: TestDatabase) => Promise<void>;
  /** Contenders that would not end, and why. */
  readonly without?: Readonly<Record<string, string>>;
  /** Changes to the tables on both sides, beforehand. */
  readonly prepare?: string | undefined;
  readonly timeoutMs?: number;
};

/** Changes are made while everything is up but held back; then the time until they have arrived is taken. */
export function backlogCase(context: BenchContext, backlog: Backlog): Case {
  const peers = context.peers.filter(({ name }) => backlog.without?.[name] === undefined);
  return {
    name: backlog.name,
    metrics: [
      { name: "seconds", unit: "s" },
      { name: "memory", unit: "MiB" },
    ],
    contenders: peers.map(({ name }) => name),
    reference: "native",
    rounds: 5,
    targets: backlog.targets,
    notShown: backlog.without ?? {},
    setting: backlog.setting,
    open: () => openBacklog(peers, backlog),
  };
}

async function openBacklog(peers: readonly Peer[], backlog: Backlog): Promise<OpenCase> {
  await using opening = new Disposer();
  const scale = backlog.accounts / 100_000;
  const servers = opening.use(await startPair());
  await makeTemplates(servers, scale);
  const opened = opening.move();
  return {
    async measure(contender) {
      const peer = peers.find(({ name }) => name === contender);
      if (peer === undefined) throw new Error(`no ${contender}`);
      await using pair = await pairFor(peer, servers, scale);
      if (backlog.prepare !== undefined) for (const side of [pair.source, pair.target]) await side.query(backlog.prepare);
      await using replication = await peer.replicate(pair, tables, "held");
      await backlog.change(pair.source);
      await mark(pair.source, 2);
      await warm(pair.target);
      await checkpoint(pair.servers);
      const began = performance.now();
      await replication.release();
      await untilMarked(pair.target, 2, backlog.timeoutMs ?? 300_000);
      const seconds = (performance.now() - began) / 1000;
      const peak = replication.peakMemory();
      await requireEqual(pair, tables);
      return { seconds, ...(peak === null ? {} : { memory: peak / 2 ** 20 }) };
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** A fresh clone is not in the server's cache. */
async function warm(database: TestDatabase): Promise<void> {
  await database.query("select count(*) from pgbench_accounts where filler is not null");
  await database.query("set enable_seqscan = off; select count(aid) from pgbench_accounts; reset enable_seqscan");
}

/** Runs `text` for each part of 1 to `rows`, each in a transaction of its own. */
export async function transactions(source: TestDatabase, rows: number, text: (first: number, last: number) => string): Promise<void> {
  const part = Math.ceil(rows / batches);
  for (let first = 1; first <= rows; first += part) await source.query(text(first, Math.min(rows, first + part - 1)));
}
