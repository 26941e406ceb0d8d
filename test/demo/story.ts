import { createDatabase } from "../harness/database.ts";
import { TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { createPgbench, fillPgbench, pgbenchTables } from "../harness/pgbench.ts";
import { endPrograms, scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import type { Server } from "../harness/server.ts";
import { ensureBuilt } from "../harness/shared-server.ts";
import { Application } from "./application.ts";
import { report } from "./report.ts";
import { command, fact, integer, millis, say, seconds, section, title } from "./screen.ts";
import { Shell } from "./shell.ts";

const scale = 3;
const clients = 4;

/** A live database moves from one server to another with the real program, and back, and for good. True when both sides were equal. */
export async function migrate(signal: AbortSignal): Promise<boolean> {
  const began = performance.now();
  title("Moving a busy database from PostgreSQL 12 to 18, while its application goes on writing");
  say(
    "Two throw-away servers, started now and gone afterwards. Lines that begin with $ are the commands you would type. Nothing but Node is needed: " +
      "no pg_dump, no extension, no restart.",
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
  const old = await createDatabase(oldEnded, { name: "shop" });
  await fill(old);
  await using young = new TestDatabase(newEnded, "shop");
  fact("old server", `PostgreSQL ${await version(old)} on port ${oldServer.port}`);
  fact("its database", `shop: ${integer(scale * 100_000)} accounts, a table without key, a sequence, views, triggers`);
  fact("new server", `PostgreSQL 18 on port ${newServer.port}, without any database of ours`);
  await using application = new Application([old, young], { clients, scale });
  await application.more(50);
  fact("the application", `${clients} clients; they write from now on, all the time`);

  section("Everything up to the switch, in one command");
  const env = { BUCARDO_FROM: old.url, BUCARDO_TO: young.url, COLUMNS: "100" };
  const shell = new Shell(place.path, env, signal);
  command(`export BUCARDO_FROM=${old.url}`);
  command(`export BUCARDO_TO=${young.url}`);
  const startBegan = application.commits;
  const moveBegan = performance.now();
  await shell.stream("bucardo migrate start");
  const moveMs = performance.now() - moveBegan;
  fact("meanwhile", `${integer(application.commits - startBegan)} transactions on the old server`);
  await shell.run("bucardo migrate status");

  section("Rehearse the switch: how long would writers wait?");
  await shell.run("bucardo migrate cutover --rehearse");
  await application.more(50);

  section("The switch");
  application.watchGap();
  await shell.run("bucardo migrate cutover --yes");
  await application.more(200);
  const downtime = application.gapMs;
  fact("the application", `${integer(application.repeated)} transactions refused, and repeated at the other side; none lost`);
  fact("longest time without a commit", millis(downtime));
  const { server } = await young.one<{ server: string }>("select current_setting('server_version') as server");
  fact("it writes to", `PostgreSQL ${server}`);

  section("The way back, as long as you want it");
  say("The old server follows the new one. Should the new one disappoint, the same guarded step goes back:");
  await shell.run("bucardo migrate switchback --yes");
  await application.more(100);
  application.watchGap();
  await shell.run("bucardo migrate cutover --yes");
  await application.more(100);
  const second = application.gapMs;

  section("Proof");
  say(
    "The application pauses, the old server follows once more, and a query that knows nothing of Bucardo compares every row of every table:",
  );
  const commits = await application.stop();
  await shell.run("bucardo migrate follow --for=1");
  const compareBegan = performance.now();
  const differences = await equalTables(
    old,
    young,
    pgbenchTables.filter((name) => !name.endsWith("history")),
  );
  for (const difference of differences) fact("", difference);
  const lost = commits - (await historyRows(young));
  fact("compared", `${integer(await accountRows(young))} rows in ${seconds(performance.now() - compareBegan)}`);
  fact(
    "commits of the application",
    `${integer(commits)}; ${lost === 0 ? "each is on the new server, once" : `${integer(lost)} are missing`}`,
  );
  signal.throwIfAborted();

  section("Finish");
  await shell.run("bucardo migrate finish --yes");
  const left = [await leftovers(old), await leftovers(young)];
  fact("left on the old server", left[0]!);
  fact("left on the new server", left[1]!);

  const equal = differences.length === 0 && lost === 0;
  report({ equal, rows: await accountRows(young), commits, downtime: [downtime, second], move: moveMs, total: performance.now() - began });
  return equal;
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
  await client.query(`
    create sequence public.invoice_number start 1000;
    create table public.invoice (id bigint primary key default nextval('public.invoice_number'), account int references public.pgbench_accounts, total numeric(12, 2));
    insert into public.invoice (account, total) select n, n * 1.5 from generate_series(1, 5000) n;
    create index invoice_by_account on public.invoice (account);
    create view public.rich as select aid, abalance from public.pgbench_accounts where abalance > 1000;
    create function public.touch() returns trigger language plpgsql as 'begin new.total := round(new.total, 2); return new; end';
    create trigger touch before insert or update on public.invoice for each row execute procedure public.touch()`);
}

async function version(database: TestDatabase): Promise<string> {
  return (await database.one<{ version: string }>("select split_part(current_setting('server_version'), ' ', 1) as version")).version;
}

async function accountRows(database: TestDatabase): Promise<number> {
  return (await database.one<{ count: number }>("select count(*)::int as count from public.pgbench_accounts")).count;
}

async function historyRows(database: TestDatabase): Promise<number> {
  return (await database.one<{ count: number }>("select count(*)::int as count from public.pgbench_history")).count;
}

/** Triggers and functions that are not the application's, and schemas of ours. */
async function leftovers(database: TestDatabase): Promise<string> {
  const { count } = await database.one<{ count: number }>(
    `select (select count(*) from pg_trigger where not tgisinternal and tgname <> 'touch')::int
          + (select count(*) from pg_namespace where nspname !~ '^pg_' and nspname not in ('public', 'information_schema'))::int
          + (select count(*) from pg_proc where pronamespace = 'public'::regnamespace and proname <> 'touch')::int as count`,
  );
  return count === 0 ? "nothing: no trigger, no schema, no function" : `${count} objects`;
}
