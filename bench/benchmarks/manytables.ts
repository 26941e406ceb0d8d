import { Disposer } from "../../src/base/disposer.ts";
import type { TestDatabase } from "../../test/harness/database.ts";
import type { Benchmark, Case, OpenCase } from "../benchmark.ts";
import { openMany, startDaemon, type Many } from "../many.ts";
import { endOfLog, loggedStatements, statementsSince } from "../server-log.ts";
import { startPair, type ServerPair } from "../servers.ts";
import { valueTarget } from "../target.ts";

const changed = 20;
const patient = { timeoutMs: 900_000 } as const;

export const manytables: Benchmark = {
  name: "manytables",
  proves: "That a sync of thousands of tables is declared, checked and run on servers with default settings.",
  begins: "a command is started (add, validate, kick with 20 tables changed, kick with none)",
  ends: "it returns",
  warmUp: "for the runs one kick; none for add and validate",
  peers: ["ours"],
  cases: (context) => [manyCase(context.quick ? 500 : 5000)],
};

function manyCase(tables: number): Case {
  const limit = (text: string, metric: string, unit: string, atMost: number) =>
    valueTarget(text, { contender: "ours", metric, unit, atMost });
  return {
    name: `${tables}-tables`,
    metrics: [
      { name: "add", unit: "s" },
      { name: "validate", unit: "s" },
      { name: "start", unit: "s" },
      { name: "run", unit: "s" },
      { name: "empty", unit: "s" },
      { name: "server", unit: "ms in an empty run" },
      { name: "locks", unit: "on tables, most seen" },
      { name: "memory", unit: "MiB" },
    ],
    contenders: ["ours"],
    reference: null,
    rounds: 3,
    setting: `${tables.toLocaleString("en-US")} tables in one sync, ${changed} changed before the run; max_connections 100 and max_locks_per_transaction 64, PostgreSQL's defaults; the times include the start of the command`,
    targets: [
      limit("add in less than 60 s", "add", "s", 60),
      limit("an empty run takes less than 50 ms of server time", "server", "ms", 50),
      limit("an empty run takes no lock per table", "locks", "locks", 10),
    ],
    open: () => openTables(tables),
  };
}

async function openTables(tables: number): Promise<OpenCase> {
  await using opening = new Disposer();
  const settings = { ...loggedStatements, max_connections: 100, max_locks_per_transaction: 64, max_worker_processes: 8 };
  const servers = opening.use(await startPair({ settings }));
  const opened = opening.move();
  return {
    async measure() {
      await using many = await openMany(servers, tables);
      const add = await timed(() => many.home.ok("add sync bench tables=all dbs=A:source,B:target autokick=off", patient));
      const validate = await timed(() => many.home.ok("validate bench", patient));
      let daemon: Awaited<ReturnType<typeof startDaemon>> | undefined;
      const start = await timed(async () => (daemon = await startDaemon(many.home)));
      await using running = daemon as NonNullable<typeof daemon>;
      const kick = () => timed(() => many.home.ok("kick bench 0", patient));
      await kick();
      for (let n = 1; n <= changed; n++) await many.source.query(`update t${n} set value = value + 1`);
      const run = await kick();
      const from = [await endOfLog(servers.source), await endOfLog(servers.target)] as const;
      const empty = await kick();
      const server = await serverTime(servers, many, from);
      const locks = await mostLocks(many, kick);
      return { add, validate, start, run, empty, server, locks, memory: (running.peakMemory() ?? 0) / 2 ** 20 };
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** Milliseconds of all statements in the source and the target. */
async function serverTime(servers: ServerPair, many: Many, from: readonly [number, number]): Promise<number> {
  const source = (await statementsSince(servers.source, from[0])).get(many.source.name);
  const target = (await statementsSince(servers.target, from[1])).get(many.target.name);
  return (source?.milliseconds ?? 0) + (target?.milliseconds ?? 0);
}

/** The most locks on the user's tables that our sessions had at any moment of an empty run, as far as looking all the time shows. */
async function mostLocks(many: Many, kick: () => Promise<unknown>): Promise<number> {
  let most = 0;
  const done = new AbortController();
  const look = async (database: TestDatabase): Promise<void> => {
    while (!done.signal.aborted) {
      const { count } = await database.one<{ count: number }>(
        `select count(*)::int as count from pg_locks l join pg_class c on c.oid = l.relation and c.relnamespace = 'public'::regnamespace
          where l.database = (select oid from pg_database where datname = current_database()) and l.pid <> pg_backend_pid()`,
      );
      most = Math.max(most, count);
    }
  };
  const looking = Promise.all([look(many.source), look(many.target)]);
  for (let turn = 0; turn < 3; turn++) await kick();
  done.abort();
  await looking;
  return most;
}
