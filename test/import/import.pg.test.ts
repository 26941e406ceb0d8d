import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { urlOf } from "../harness/server.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { startDaemon } from "../cli/daemon.ts";
import { openSite, type Site } from "../cli/site.ts";

const SCHEMA = "create table item (id integer primary key, name text); create table tag (id integer primary key); create sequence number";

type Report = {
  readonly version: number;
  readonly steps: readonly { command: string; state: string; messages: string[] }[];
  readonly notes: readonly { what: string; remedy: string }[];
};

/** A control database of the Perl program: no daemon of it, only what it remembers. */
async function openOld(version: 4 | 5, rows: string): Promise<TestDatabase & AsyncDisposable> {
  const old = await createDatabase(await sharedServer(15));
  await old.query(await readFile(fileURLToPath(new URL(`perl-${version}.sql`, import.meta.url)), "utf8"));
  await old.query(rows);
  return old;
}

/** Values of a row of table db for a database of the site. */
function place(site: Site, index: number): string {
  const { server, name } = site.databases[index]!;
  return `'${server.host}', '${server.port}', '${name}', 'postgres'`;
}

async function report(site: Site, line: string): Promise<Report> {
  const { out, err, code } = await site.run(`${line} --json`);
  if (code > 1 || out === "") throw new Error(`${line}: ${code} ${err}`);
  return JSON.parse(out) as Report;
}

// proves: 6.3/import
test("an installation of version 5: databases, groups, tables, syncs and settings; Perl code is named; syncs wait for their activation", async () => {
  await using site = await openSite({ majors: [15, 15], schema: SCHEMA });
  await using old = await openOld(
    5,
    `insert into bucardo.bucardo_config (name, setting, defval, type, item) values ('bucardo_version', '5.6.0', null, null, null),
       ('kid_sleep', '0.5', '0.5', null, null), ('statement_chunk_size', '100', '6000', null, null), ('email_auth_pass', 'hush', '', null, null),
       ('kid_sleep', '9', '0.5', 'sync', 'people'), ('home_grown', '1', '', null, null);
     insert into bucardo.db (name, dbhost, dbport, dbname, dbuser, dbpass, status) values ('A', ${place(site, 0)}, 'sesame', 'active'), ('B', ${place(site, 1)}, null, 'stalled');
     insert into bucardo.db (name, dbtype) values ('cache', 'redis');
     insert into bucardo.dbgroup values ('pair'); insert into bucardo.dbmap values ('A', 'pair', 0, 'source'), ('B', 'pair', 2, 'target'), ('cache', 'pair', 0, 'target');
     insert into bucardo.goat (id, db, schemaname, tablename, reltype, autokick, strict_checking, ghost) values (1, 'A', 'public', 'item', 'table', false, false, false),
       (2, 'A', 'public', 'tag', 'table', null, true, true), (3, 'A', 'public', 'number', 'sequence', null, true, false);
     insert into bucardo.herd values ('things'); insert into bucardo.herdmap values ('things', 1, 5), ('things', 2, 0), ('things', 3, 0);
     insert into bucardo.sync (name, herd, dbs, autokick, checktime, overdue, onetimecopy) values ('people', 'things', 'pair', false, '1 day 02:00:30', '1 hour', 2);
     insert into bucardo.customname values (1, 2, 'label', 'B', 'people');
     insert into bucardo.customcols values (1, 1, 'SELECT id, upper(name) AS name', null, null);
     insert into bucardo.customcode (id, name, whenrun, src_code) values (1, 'mend', 'exception', 'my ($in) = @_;'), (2, 'loose', 'after_sync', '1;');
     insert into bucardo.customcode_map (code, goat) values (1, 2)`,
  );
  const from = `--from ${urlOf(old.server, old.name)}`;
  const before = await old.query("select * from bucardo.sync");
  await site.databases[1]!.query("alter table tag rename to label");

  const rehearsed = await report(site, `import ${from} --dryrun`);
  expect(rehearsed.steps.every(({ state }) => state === "planned")).toBe(true);
  expect(await site.ok("list dbs")).toContain("No databases");
  expect(JSON.stringify(rehearsed)).not.toMatch(/sesame|hush/);

  const done = await report(site, `import ${from}`);
  expect(done.steps.filter(({ state }) => state !== "done")).toEqual([]);
  expect(done).toMatchObject({ version: 5, release: "5.6.0" });
  const notes = done.notes.map(({ what }) => what).join("\n");
  for (const said of [
    "database cache is of type redis",
    "setting kid_sleep of sync people is not carried",
    "setting email_auth_pass is not carried",
    "setting home_grown (1) is not known here",
    "onetimecopy=2 of sync people is not carried",
    "custom code mend (exception, table public.tag) is Perl and is not carried",
    "custom code loose (after_sync, attached to nothing) is Perl",
  ])
    expect(notes).toContain(said);
  expect(await site.ok("show statement_chunk_size")).toContain("100");
  expect(await site.ok("list dbgroups")).toContain("A:source B:target:pri=2");
  expect(await site.ok("list tables tag")).toContain("ghost:true");
  expect(await site.ok("list syncs -vv")).toMatch(/Sync "people" .*\[Inactive\]/);
  expect(await site.ok("list syncs -v")).toContain("every 1 d 2 h 30 s, when kicked");
  expect((await site.control.query<{ password: string }>("select password from bucardo.db where name = 'A'"))[0]?.password).toMatch(
    /^enc:v1:/,
  );

  // Captured already, carried after the activation.
  await site.databases[0]!.query("insert into item values (1, 'meanwhile'); insert into tag values (7)");
  await using _daemon = await startDaemon(site);
  await site.ok("activate people");
  await site.ok("kick people 0");
  expect(await site.databases[1]!.query("select name from item")).toEqual([{ name: "MEANWHILE" }]);
  expect(await site.databases[1]!.query("select id from label")).toEqual([]);
  await site.ok("update table tag ghost=off");
  await site.ok("kick people 0");
  expect(await site.databases[1]!.query("select name, label.id from item, label")).toEqual([{ name: "MEANWHILE", id: 7 }]);

  const again = await report(site, `import ${from}`);
  expect(again.steps.filter(({ state }) => state === "failed")).toEqual([]);
  expect(await old.query("select * from bucardo.sync")).toEqual(before);
  expect((await site.run(`import --from ${urlOf(site.databases[0]!.server, site.databases[0]!.name)}`)).err).toContain(
    "no control database",
  );
});

// proves: 6.3/import
test("an installation of version 4: types instead of roles, two-way syncs too; what cannot be carried is named, and the rest is", async () => {
  await using site = await openSite({ majors: [15, 15], schema: SCHEMA });
  await site.databases[1]!.query("drop table tag");
  await using old = await openOld(
    4,
    `insert into bucardo.bucardo_config (setting, value) values ('bucardo_version', '4.5.0'), ('upsert_attempts', '9');
     insert into bucardo.db (name, dbhost, dbport, dbname, dbuser) values ('old', ${place(site, 0)}), ('new', ${place(site, 1)});
     insert into bucardo.dbgroup values ('all'); insert into bucardo.dbmap values ('new', 'all', 0);
     insert into bucardo.goat (id, db, schemaname, tablename, ping, standard_conflict) values (1, 'old', 'public', 'item', false, 'target'), (2, 'old', 'public', 'tag', null, null);
     insert into bucardo.herd values ('pepper'), ('tags'); insert into bucardo.herdmap values ('pepper', 1, 0), ('tags', 2, 0);
     insert into bucardo.sync (name, source, targetdb, synctype, ping) values ('pepper', 'pepper', 'new', 'swap', false);
     insert into bucardo.sync (name, source, targetgroup, synctype) values ('tags', 'tags', 'all', 'pushdelta')`,
  );
  const done = await report(site, `import --from ${urlOf(old.server, old.name)}`);
  const failed = done.steps.filter(({ state }) => state !== "done");
  expect(failed.map(({ command }) => command)).toEqual([expect.stringContaining("add sync tags")]);
  expect(failed[0]?.messages.join("\n")).toContain("public.tag");
  expect(await site.ok("list syncs")).toMatch(/Sync "pepper" .* (old:source new:source|new:source old:source)/);
  expect(await site.ok("list tables -vv")).toContain("bucardo_target");
  await site.databases[1]!.query("create table tag (id integer primary key)");
  const again = await report(site, `import --from ${urlOf(old.server, old.name)}`);
  expect(again.steps.find(({ command }) => command.startsWith("add sync tags"))?.state).toBe("done");
  expect(again.steps.find(({ command }) => command.startsWith("add sync pepper"))?.state).toBe("there already");
});
