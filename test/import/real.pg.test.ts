import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { endAll, runTool, withDescendants } from "../../bench/program.ts";
import { benchPrograms, hasExtension } from "../../bench/servers.ts";
import { Disposer } from "../../src/base/disposer.ts";
import { createDatabase, dropDatabase, onServer } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer, urlOf, type Server } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "../cli/daemon.ts";
import { openSite } from "../cli/site.ts";

const perl = "/usr/bin/bucardo";
const SCHEMA = `create table item (id serial primary key, name text, turn integer default 0); create table "Odd_Name" (a integer, b text, primary key (a, b));
  insert into item (name) select 'before ' || n from generate_series(1, 200) n`;

/** Bucardo 5.6 of Debian on a server of its own, with a sync `old` from A to B and its daemon; stopped by `stop`. */
async function openPerl(cleanup: Disposer, server: Server, databases: Readonly<Record<string, string>>) {
  const { path: folder } = cleanup.use(await scratch());
  await mkdir(join(folder, "pid"));
  const rc = [
    `dbhost=${server.host}`,
    `dbport=${server.port}`,
    "dbname=bucardo",
    "dbuser=postgres",
    `piddir=${folder}/pid`,
    `logdest=${folder}`,
  ];
  await writeFile(join(folder, ".bucardorc"), `${rc.join("\n")}\n`);
  const run = (...args: string[]) => runTool(perl, args, folder);
  cleanup.defer(() => dropDatabase(server, "bucardo"));
  await run("install", "--batch");
  await run("set", `reason_file=${folder}/reason`);
  for (const [name, dbname] of Object.entries(databases))
    await run("add", "db", name, `dbname=${dbname}`, `host=${server.host}`, `port=${server.port}`, "user=postgres");
  await run("add", "sync", "old", "dbs=A:source,B:target", "tables=item,Odd_Name", "checktime=1 day");
  await run("start");
  const pidFile = join(folder, "pid", "bucardo.mcp.pid");
  await waitFor(() => Promise.resolve(existsSync(pidFile)), { what: "Bucardo's pid file", timeoutMs: 60_000 });
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  cleanup.defer(() => endAll(withDescendants([pid])));
  await waitFor(() => Promise.resolve(readFileSync(join(folder, "log.bucardo"), "utf8").includes("Entering main loop")), {
    what: "Bucardo to be up",
    timeoutMs: 60_000,
  });
  const stop = async () => {
    await run("stop");
    await waitFor(() => Promise.resolve(withDescendants([pid]).length === 0), { what: "Bucardo to end", timeoutMs: 60_000 });
  };
  return { run, stop };
}

// proves: 6.3/import
test("Bucardo 5.6 hands over to us while the application writes, no change is lost, and nothing of it stays", async (context) => {
  if (!existsSync(perl) || !hasExtension("plperlu")) context.skip("needs bucardo and postgresql-plperl-15");
  await using cleanup = new Disposer();
  const server = cleanup.use(await startServer({ major: 15, programs: benchPrograms() }));
  await onServer(server, (client) => client.query("create role bucardo superuser login"));
  const [a, b] = [cleanup.use(await createDatabase(server)), cleanup.use(await createDatabase(server))];
  await a.query(SCHEMA);
  await b.query(SCHEMA);
  const old = await openPerl(cleanup, server, { A: a.name, B: b.name });
  await using site = await openSite({ majors: [18] });
  const from = `--from ${urlOf(server, "bucardo")}`;

  const ended = new AbortController();
  const application = (async () => {
    for (let turn = 1; !ended.signal.aborted; turn++) {
      await a.query("insert into item (name, turn) values ('new', $1)", [turn]);
      await a.query("update item set turn = $1 where id = 1 + $1 % 200", [turn]);
      await a.query("delete from item where id = 200 + $1 and $1 % 3 = 0", [turn]);
      await a.query(`insert into "Odd_Name" values ($1, 'it''s')`, [turn]);
    }
  })();
  const rows = async () => (await a.query<{ n: number }>("select count(*)::int as n from item"))[0]!.n;
  const untilWritten = async (more: number) => {
    const before = await rows();
    await waitFor(async () => (await rows()) > before + more, { what: `${more} rows of the application` });
  };
  try {
    await untilWritten(20);
    await old.run("pause", "old");
    await untilWritten(20);
    await site.ok(`import ${from}`);
    expect(await site.run(`import check ${from}`)).toMatchObject({
      code: 1,
      out: expect.stringContaining("wait in the Perl program only"),
    });
    await old.run("resume", "old");
    expect(await site.ok("list syncs")).toMatch(/Sync "old" .*A:source B:target .*\[Inactive\]/);
    await untilWritten(20);
    await waitFor(
      async () => {
        await old.run("kick", "old", "10").catch(() => undefined);
        return (await site.run(`import check ${from}`)).code === 0;
      },
      { what: "the Perl program to be drained", timeoutMs: 60_000 },
    );
    await old.stop();
    await untilWritten(20);
    expect((await site.run("import remove")).err).toContain("These syncs do not run yet: old");
    await using _daemon = await startDaemon(site);
    await site.ok("activate old");
    await untilWritten(20);
    expect(await site.ok("import remove --dryrun")).toMatch(/Would remove \d+ triggers, \d+ tables, \d+ functions/);
    expect(await site.ok("import remove")).toMatch(
      /Removed [4-9] triggers, \d+ tables, \d+ functions of the Perl program from database "A"/,
    );
    await untilWritten(20);
    ended.abort();
    await application;
    await site.ok("kick old 0");
    expect(await equalTables(a, b, ["item", `"Odd_Name"`])).toEqual([]);
    expect((await site.run("compare old patience=0")).code).toBe(0);
    const left = await a.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'bucardo'::regnamespace and relkind = 'r' and relname ~ '^(track|stage|bucardo)_'
       union all select proname from pg_proc where pronamespace = 'bucardo'::regnamespace and proname ~ '^(bucardo|bkick|delta)_'
       union all select tgname from pg_trigger where tgname ~ '^bucardo_(delta|kick|note)' `,
    );
    expect(left).toEqual([]);
  } finally {
    ended.abort();
    await application.catch(() => undefined);
  }
}, 240_000);
