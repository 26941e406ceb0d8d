import { join } from "node:path";
import { Disposer } from "../../src/base/disposer.ts";
import type { TestDatabase } from "../../test/harness/database.ts";
import type { BenchContext, Benchmark, Case, OpenCase } from "../benchmark.ts";
import type { DatabasePair } from "../peers/peer.ts";
import { checkpoint, startPair } from "../servers.ts";
import { clonePair, makeTemplates } from "../tables.ts";
import { ratioTarget } from "../target.ts";

const table = "public.bench_bulk";
const peers = ["ours", "bucardo5", "slony", "londiste"];

export const bulk: Benchmark = {
  name: "bulk",
  proves: "What capture costs one statement that writes very many rows.",
  begins: "the statement is sent",
  ends: "it is answered, commit included",
  warmUp: "the same statement once on each database before the first round",
  peers,
  cases: (context) => {
    const rows = context.quick ? 200_000 : 1_000_000;
    return [
      bulkCase(context, "insert", rows, 0, (source) => source.query(`insert into ${table} ${generated(1, rows)}`)),
      bulkCase(context, "copy", rows, 0, (source) => source.query(`copy ${table} from '${fileOf(source)}' (format binary)`)),
      bulkCase(context, "update", rows / 2, rows, (source) =>
        source.query(`update ${table} set quantity = quantity + 1 where id <= ${rows / 2}`),
      ),
      bulkCase(context, "delete", rows / 5, rows, (source) => source.query(`delete from ${table} where id <= ${rows / 5}`)),
    ];
  },
};

type Statement = (source: TestDatabase) => Promise<unknown>;

function bulkCase(context: BenchContext, name: string, rows: number, before: number, statement: Statement): Case {
  return {
    name,
    metrics: [{ name: "seconds", unit: "s" }],
    contenders: ["none", ...context.peers.map((peer) => peer.name)],
    reference: "none",
    rounds: 5,
    setting: `${rows.toLocaleString("en-US")} rows in one statement, table with ${before.toLocaleString("en-US")} rows before (bigint key, int, text, numeric, timestamptz); fsync off`,
    targets: [
      ratioTarget("at most 1.35 times the time without capture", { contender: "ours", to: "none", metric: "seconds", atMost: 1.35 }),
    ],
    open: () => openBulk(context, rows, before, statement),
  };
}

async function openBulk(context: BenchContext, rows: number, before: number, statement: Statement): Promise<OpenCase> {
  await using opening = new Disposer();
  const servers = opening.use(await startPair());
  await makeTemplates(servers, 1);
  const databases = new Map<string, DatabasePair>();
  for (const contender of ["none", ...context.peers.map((peer) => peer.name)]) {
    if (!context.wants(contender)) continue;
    const pair = opening.use(await clonePair(servers));
    for (const side of [pair.source, pair.target]) await createTable(side);
    if (before === 0) await pair.source.query(`copy (${generated(1, rows)}) to '${fileOf(pair.source)}' (format binary)`);
    const peer = context.peers.find((one) => one.name === contender);
    if (peer?.capture) opening.use(await peer.capture(pair, [table]));
    databases.set(contender, pair);
    await restore(pair.source, before);
    await statement(pair.source);
  }
  const opened = opening.move();
  return {
    async measure(contender) {
      const source = databases.get(contender)?.source;
      if (source === undefined) throw new Error(`no ${contender}`);
      await restore(source, before);
      await checkpoint(servers);
      const began = performance.now();
      await statement(source);
      return { seconds: (performance.now() - began) / 1000 };
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function createTable(database: TestDatabase): Promise<void> {
  await database.query(`create table ${table} (id bigint primary key, quantity integer, name text, price numeric, at timestamptz)`);
}

/** The table as it was before the statement; triggers do not see this. */
async function restore(source: TestDatabase, rows: number): Promise<void> {
  await source.query("set session_replication_role = replica");
  await source.query(`truncate ${table}`);
  if (rows > 0) await source.query(`insert into ${table} ${generated(1, rows)}`);
  await source.query("set session_replication_role = origin");
  await source.query(`vacuum (analyze) ${table}`);
}

function generated(first: number, last: number): string {
  return `select n, (n % 1000)::integer, 'name of item ' || n, n / 100.0, timestamptz '2026-01-01' + n * interval '1 second' from generate_series(${first}::bigint, ${last}) n`;
}

/** In the server's own folder, which it can read and write whoever it runs as. */
function fileOf({ server, name }: TestDatabase): string {
  return join(server.dataDir, `${name}.copy`);
}
