import { expect, test } from "vitest";
import { migrations } from "../../src/control/schema-version.ts";
import { createDatabase } from "../harness/database.ts";
import { scratch } from "../harness/scratch.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { line } from "./line.ts";
import { openSite } from "./site.ts";

// proves: 6.1/upgrade-capture
test("what an older version installed on a source is brought up to date by validate; what a newer one did is left alone", async () => {
  await using site = await openSite({
    majors: [15, 15],
    schema: "create table sale (id int primary key); create table item (id int primary key)",
  });
  await site.ok("add db A $A");
  await site.ok("add db B $B");
  await site.ok("add sync auto tables=sale dbs=A:source,B:target");
  await site.ok("add sync hand tables=item dbs=A:source,B:target autokick=false");
  await site.ok("add sync other tables=item dbs=B:source,A:target");
  const source = site.databases[0]!;
  const version = async () => (await source.one<{ version: number }>("select version from bucardo.capture")).version;
  const ours = await version();
  await source.query(
    "insert into item values (200); alter table bucardo.captured_table drop column stamped; drop table bucardo.noted_conflict; update bucardo.capture set version = 1",
  );
  expect(await site.ok("validate hand auto")).toMatch(/^Validating sync auto \.\.\. OK\n[^]*Validating sync hand \.\.\. OK\n/);
  expect(await version()).toBe(ours);
  expect(await source.query("select from bucardo.noted_conflict")).toEqual([]);
  // Nothing of what was captured went.
  expect(await site.ok("delta A")).toContain("Total deltas for database A: 1 ");

  await source.query("update bucardo.capture set version = 99");
  const refused = await site.run("validate all");
  expect(refused).toMatchObject({ code: 2, err: "" });
  expect(refused.out).toMatch(
    new RegExp(
      `Validating sync auto \\.\\.\\. FAILED\n.*capture objects of a newer Bucardo \\(version 99, ours is ${ours}\\)[^]*sync hand \\.\\.\\. FAILED[^]*sync other \\.\\.\\. OK`,
    ),
  );
  expect(await version()).toBe(99);
  await source.query("update bucardo.capture set version = $1", [ours]);
  expect((await site.run("validate hand")).code).toBe(0);
});

// proves: 6.1/upgrade
test("upgrade of a control database of an older version: what is missing, once, with all that was stored; a newer one is refused", async () => {
  await using home = await scratch();
  const server = await sharedServer(15);
  await using old = await createDatabase(server);
  const all = migrations();
  const run = (command: string) =>
    line([...command.split(" "), `--dbhost=${server.host}`, `--dbport=${server.port}`, `--dbname=${old.name}`, "--dbuser=postgres"], {
      home: home.path,
    });
  await old.query(`create schema bucardo; ${all[0]!.text}`);
  await old.query(`insert into bucardo.schema_version (version, name) values (1, 'initial');
    insert into bucardo.installation (id) values ('7fb1d7a6-3f3b-4d0e-9a26-3a1d0f6f7a01');
    insert into bucardo.setting (name, value) values ('purge_interval', '7 minutes');
    insert into bucardo.db (name, dbname) values ('A', 'one'), ('B', 'two');
    insert into bucardo.dbgroup (name) values ('g');
    insert into bucardo.dbgroup_member (dbgroup, db, role) values ('g', 'A', 'source'), ('g', 'B', 'target');
    insert into bucardo.relgroup (name) values ('r');
    insert into bucardo.sync (id, name, relgroup, dbgroup, legacy)
      values ('7fb1d7a6-3f3b-4d0e-9a26-3a1d0f6f7a02', 's', 'r', 'g', '{"conflict_strategy": "bucardo_source", "kidsalive": "off"}')`);
  expect((await run("list syncs")).err).toContain("Run `bucardo upgrade`");

  const versions = async () =>
    (await old.query<{ version: number }>("select version from bucardo.schema_version order by 1")).map((row) => row.version);
  const applied = all.slice(1).map(({ version, name }) => `Applied ${version} ${name}\n`);
  const dry = await run("upgrade --dryrun");
  expect(dry).toMatchObject({ code: 0, out: expect.stringContaining("Dry run: nothing was changed.\n") });
  expect(await versions()).toEqual([1]);
  const words = `${applied.join("")}The schema has version ${all.at(-1)!.version}\nRun \`bucardo validate all\` next.\n`;
  expect(await run("uprgade")).toEqual({ code: 0, out: words, err: "" });
  expect(await versions()).toEqual(all.map(({ version }) => version));
  expect(await run("upgrade")).toEqual({ code: 1, out: "No schema changes were needed\n", err: "" });

  expect((await run("show purge_interval")).out).toBe("purge_interval = 7 minutes\n");
  expect((await run("list syncs")).out).toMatch(/^Sync "s" +Relgroup "r" +DB group "g" A:source B:target/);
  expect(await old.query("select conflict_strategy, legacy from bucardo.sync")).toEqual([
    { conflict_strategy: "bucardo_source", legacy: { kidsalive: "off" } },
  ]);

  await old.query("insert into bucardo.schema_version (version, name) values (9999, 'from the future')");
  for (const command of ["upgrade", "list syncs"])
    expect(await run(command)).toMatchObject({ code: 1, out: "", err: expect.stringContaining("version 9999") });
});
