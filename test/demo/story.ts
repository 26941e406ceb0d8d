import { appendFile, mkdir } from "node:fs/promises";
import type pg from "pg";
import { createDatabase } from "../harness/database.ts";
import type { TestDatabase } from "../harness/database.ts";
import { copyRows } from "../harness/copy-rows.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { createPgbench, fillPgbench, pgbenchTables } from "../harness/pgbench.ts";
import { endPrograms, scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import type { Server } from "../harness/server.ts";
import { ensureBuilt } from "../harness/shared-server.ts";
import { writers } from "../harness/writers.ts";
import { LagChart } from "./lag.ts";
import { report } from "./report.ts";
import { command, fact, integer, millis, say, seconds, section, title } from "./screen.ts";
import { Shell } from "./shell.ts";

const scale = 2;
const clients = 4;
const kicks = 4;

/** The article's walk-through with the real program. True when both sides were equal in the end. */
export async function migrate(signal: AbortSignal): Promise<boolean> {
  const began = performance.now();
  title("Moving a busy database from PostgreSQL 12 to 18, as in “Migrating Postgres with Bucardo 4” (2009)");
  say(
    "Two throw-away servers, started now and gone afterwards. Lines that begin with $ are the commands you would type; the demo " +
      "plays psql, pgbench and pg_dump itself, as they do not come with npm.",
  );

  await ensureBuilt();
  await using place = await scratch();
  await using programs = { [Symbol.asyncDispose]: endPrograms };
  void programs;

  section("The old server, in production");
  const [oldServer, newServer] = await both(startServer({ major: 12 }), startServer({ major: 18 }));
  await using oldEnded = oldServer;
  await using newEnded = newServer;
  signal.throwIfAborted();
  const oldAlpha = await createDatabase(oldEnded, { name: "alpha" });
  await fill(oldAlpha);
  fact("old server", `PostgreSQL ${await version(oldAlpha)} on port ${oldServer.port}`);
  fact("its database", `alpha: ${integer(scale * 100_000)} accounts, as pgbench -i -s ${scale} makes them`);
  await using load = writers(oldAlpha, { clients, kind: "pgbench", scale });
  await load.more(50);
  fact("the application", `${clients} clients; they write from now on until the switch`);

  section("The new server, empty");
  const newAlpha = await createDatabase(newEnded, { name: "alpha" });
  await prepare(newAlpha);
  fact("new server", `PostgreSQL ${await version(newAlpha)} on port ${newServer.port}`);
  fact("its database", "alpha: the same tables without rows (pg_dumpall --schema-only | psql)");

  section("Install Bucardo, and tell it what to replicate");
  say("Its own tables live on the new server. From `add sync` on, the old server notes which accounts change.");
  const env = { PGHOST: oldServer.host, COLUMNS: "100" };
  const shell = new Shell(place.path, env, signal);
  command(`export PGHOST=${env.PGHOST}`);
  command("mkdir bctest");
  await mkdir(`${place.path}/bctest`);
  await shell.run(`bucardo_ctl install --dbport=${newServer.port} --piddir=bctest`);
  command(`echo dbport=${newServer.port} >> .bucardorc`);
  await appendFile(`${place.path}/.bucardorc`, `dbport=${newServer.port}\n`);
  await shell.run(`bucardo_ctl add db alpha name=oldalpha port=${oldServer.port}`);
  await shell.run(`bucardo_ctl add db alpha name=newalpha port=${newServer.port}`);
  await shell.run("bucardo_ctl add sync pepper type=pushdelta source=oldalpha targetdb=newalpha tables=pgbench_accounts ping=false");

  const captured = load.commits;

  section("Copy the large table; it may take as long as it needs");
  command(`pg_dump alpha -p ${oldServer.port} --data-only -t pgbench_accounts | psql -p ${newServer.port} -d alpha`);
  const chart = new LagChart(shell);
  const copyBegan = performance.now();
  const copied = await copyRows(oldAlpha, newAlpha, "public.pgbench_accounts");
  signal.throwIfAborted();
  fact("copied", `${integer(copied)} rows in ${seconds(performance.now() - copyBegan)}, outdated already`);
  fact("meanwhile", `${integer(load.commits)} transactions on the old server`);

  section("Start, and catch up with what has changed since");
  await chart.read("before start");
  await shell.run("bucardo_ctl start");
  await shell.run("bucardo_ctl status pepper");
  say(`The clients never paused. ${kicks} kicks, each of which brings the new server to a newer moment of the old one:`);
  command("bucardo_ctl kick pepper 0");
  chart.print();
  for (let turn = 1; turn <= kicks; turn++) {
    await chart.read(`kick ${turn} begins`);
    await shell.quietly("bucardo_ctl kick pepper 0");
    await chart.read(`kick ${turn} done`);
    await load.more(200);
  }

  section("Switch");
  say("The application stops writing. From here to its first commit on the new server is the downtime.");
  const commits = await load.stop();
  const stopped = performance.now();
  await shell.run("bucardo_ctl kick pepper 0");
  const kicked = performance.now();
  command(`pg_dump alpha -p ${oldServer.port} --data-only -T pgbench_accounts -N bucardo | psql -p ${newServer.port} -d alpha`);
  let others = 0;
  for (const table of pgbenchTables) if (!table.endsWith("accounts")) others += await copyRows(oldAlpha, newAlpha, table);
  const moved = performance.now();
  fact("the small tables", `${integer(others)} rows in ${millis(moved - kicked)}`);

  section("Proof");
  say("Every row of every table on both sides, compared by a query that knows nothing of Bucardo:");
  const differences = await equalTables(oldAlpha, newAlpha, pgbenchTables);
  const compared = performance.now();
  for (const difference of differences) fact("", difference);
  fact("compared", `${integer(copied + others)} rows in ${seconds(compared - moved)}`);
  fact("left on the new server", await leftovers(newAlpha));
  signal.throwIfAborted();

  section("The application goes on, on the new server");
  await using resumed = writers(newAlpha, { clients, kind: "pgbench", scale });
  await resumed.more(1);
  const resumedAt = performance.now();
  await resumed.more(50);
  fact("the application", `${integer(await resumed.stop())} transactions on PostgreSQL ${await version(newAlpha)}`);
  await shell.run("bucardo_ctl stop");

  report({
    equal: differences.length === 0,
    rows: copied + others,
    changes: commits - captured,
    mostWaiting: chart.largest,
    downtime: { kick: kicked - stopped, tables: moved - kicked, application: resumedAt - compared },
    proof: compared - moved,
    total: performance.now() - began,
  });
  return differences.length === 0;
}

/** Starts both or none. */
async function both(one: Promise<Server>, other: Promise<Server>): Promise<[Server, Server]> {
  const started = await Promise.allSettled([one, other]);
  const [first, second] = started;
  if (first.status === "fulfilled" && second.status === "fulfilled") return [first.value, second.value];
  for (const server of started) if (server.status === "fulfilled") await server.value[Symbol.asyncDispose]();
  throw (started.find(({ status }) => status === "rejected") as PromiseRejectedResult).reason;
}

async function fill(database: TestDatabase): Promise<void> {
  const client = await database.client();
  await createPgbench(client);
  await fillPgbench(client, scale);
  await createRole(client);
}

async function prepare(database: TestDatabase): Promise<void> {
  const client = await database.client();
  await createPgbench(client);
  await createRole(client);
}

/** As the article has it; on the new server the role comes with pg_dumpall. */
async function createRole(client: pg.Client): Promise<void> {
  await client.query("create user bucardo superuser");
}

async function version(database: TestDatabase): Promise<string> {
  return (await database.one<{ version: string }>("select split_part(current_setting('server_version'), ' ', 1) as version")).version;
}

/** Triggers, schemas and functions that were not there before. */
async function leftovers(database: TestDatabase): Promise<string> {
  const { count } = await database.one<{ count: number }>(
    `select (select count(*) from pg_trigger where not tgisinternal)::int
          + (select count(*) from pg_namespace where nspname !~ '^pg_' and nspname not in ('public', 'information_schema'))::int
          + (select count(*) from pg_proc where pronamespace = 'public'::regnamespace)::int as count`,
  );
  return count === 0 ? "nothing: no trigger, no schema, no function" : `${count} objects`;
}
