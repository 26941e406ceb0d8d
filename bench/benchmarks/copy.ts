import { existsSync } from "node:fs";
import { Disposer } from "../../src/base/disposer.ts";
import { openHome } from "../../test/e2e/home.ts";
import { createDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { programPath } from "../../test/harness/needs-program.ts";
import { scratch } from "../../test/harness/scratch.ts";
import type { BenchContext, Benchmark, Case, OpenCase } from "../benchmark.ts";
import type { DatabasePair } from "../peers/peer.ts";
import { runTool } from "../program.ts";
import { checkpoint, cloneDatabase, startPair } from "../servers.ts";
import { keyedTables, makeTemplates, requireEqual } from "../tables.ts";

const jobs = 2;
const patient = { timeoutMs: 900_000 } as const;
const pgcopydb = "/usr/bin/pgcopydb";

export const copy: Benchmark = {
  name: "copy",
  proves: "How long a whole database takes to a server that has nothing of it: structure, rows, keys and indexes.",
  begins: "the command is started",
  ends: "it returns; ours has then compared both sides, too, and captures changes since before the first row",
  warmUp: "none",
  peers: ["ours"],
  cases: (context) => [copyCase(context)],
};

function copyCase(context: BenchContext): Case {
  const scale = context.quick ? 5 : 50;
  const missing: Readonly<Record<string, string>> = {
    ...(existsSync(pgcopydb) ? {} : { pgcopydb: "pgcopydb is not installed" }),
    ...(programPath("pg_dump") === null ? { "pg_dump | psql": "pg_dump is not installed" } : {}),
  };
  return {
    name: "database",
    metrics: [{ name: "seconds", unit: "s" }],
    contenders: ["ours", "pgcopydb", "pg_dump | psql"].filter((name) => missing[name] === undefined),
    notShown: missing,
    reference: "pgcopydb",
    rounds: 5,
    setting: `pgbench's tables, ${(scale * 100_000).toLocaleString("en-US")} accounts; ours: bucardo migrate start; pgcopydb clone; ${jobs} jobs each; pg_dump | psql has one; fsync off`,
    targets: [],
    open: () => openCopy(scale),
  };
}

async function openCopy(scale: number): Promise<OpenCase> {
  await using opening = new Disposer();
  const servers = opening.use(await startPair());
  await makeTemplates(servers, scale);
  const opened = opening.move();
  return {
    async measure(contender) {
      await using source = await cloneDatabase(servers.source, "template_bench");
      await using target = await createDatabase(servers.target);
      await source.query("select count(*) from pgbench_accounts where filler is not null");
      await checkpoint(servers);
      const seconds = await (contender === "ours" ? ours : contender === "pgcopydb" ? byPgcopydb : byDump)({ source, target });
      await requireEqual({ source, target }, keyedTables);
      return { seconds };
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function ours({ source, target }: DatabasePair): Promise<number> {
  await using home = await openHome(target);
  return await timed(() => home.ok(`migrate start --from=${source.url} --to=${target.url} --jobs=${jobs} --progress=none`, patient));
}

async function byPgcopydb({ source, target }: DatabasePair): Promise<number> {
  await using folder = await scratch();
  const args = ["clone", "--source", source.url, "--target", target.url, "--table-jobs", String(jobs), "--index-jobs", String(jobs)];
  return await timed(() => runTool(pgcopydb, [...args, "--dir", `${folder.path}/work`], folder.path));
}

async function byDump({ source, target }: DatabasePair): Promise<number> {
  await using folder = await scratch();
  const [from, to] = [source, target].map(address) as [string, string];
  return await timed(() =>
    runTool("sh", ["-c", `${programPath("pg_dump")} ${from} | ${programPath("psql")} -q ${to} > psql.out`], folder.path),
  );
}

function address({ server, name }: TestDatabase): string {
  return `-h ${server.host} -p ${server.port} -U postgres -d ${name}`;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
