import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createDatabase } from "../harness/database.ts";
import { startServer } from "../harness/server.ts";
import { openSite, type Site } from "./site.ts";

const schema = "create table t1 (id int primary key, v text); create table t2 (id int primary key)";

const ours = (site: Site, index: number) =>
  site.databases[index]!.query<{ name: string }>(
    "select tgname::text as name from pg_trigger where not tgisinternal union all select nspname::text from pg_namespace where nspname = 'bucardo'",
  );

// proves: 6.1/force
test("a source that is down: remove says so and changes nothing; --force remembers, validate all clears when it is back", async () => {
  await using server = await startServer({ major: 16 });
  await using shop = await createDatabase(server);
  await shop.query(schema);
  await using site = await openSite({ majors: [18], schema });
  await site.ok(`add db A dbname=${shop.name} host=${server.host} port=${server.port} user=postgres`);
  await site.ok("add db B $A");
  await site.ok("add sync s tables=t1 dbs=A,B");
  await shop.closeClients();
  await server.stop();

  const refused = await site.run("remove sync s");
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/Our triggers cannot be taken off database "A"[^]*Nothing was changed/);
  expect(await site.ok("list syncs")).toContain("[Active]");
  const forced = await site.run("remove sync s --force");
  expect(forced).toMatchObject({ code: 0, out: 'Removed sync "s"\n' });
  expect(forced.err).toContain('stay on database "A" for now');
  expect((await site.run("remove db A")).err).toContain("what removed syncs have left on it (s;");
  expect(await site.ok("validate all")).toContain('Sync "s" is still on database "A"');

  await server.start();
  expect(await shop.query("select from pg_namespace where nspname = 'bucardo'")).toHaveLength(1);
  expect(await site.ok("validate all")).toContain('Removed what sync "s" had left on database "A"');
  expect(await shop.query("select from pg_namespace where nspname = 'bucardo'")).toHaveLength(0);
  expect(await site.control.query("select from bucardo.remainder")).toEqual([]);
});

// proves: 6.1/several-daemons, 6.1/uninstall
test("two control databases on one source: each removes its own", async () => {
  await using one = await openSite({ majors: [15, 15], schema });
  await using two = await openSite({ majors: [15] });
  const [source, target] = [one.databases[0]!, one.databases[1]!];
  const keys = (name: string) => `dbname=${name} host=${source.server.host} port=${source.server.port} user=postgres`;
  for (const site of [one, two]) {
    await site.ok(`add db A ${keys(source.name)}`);
    await site.ok(`add db B ${keys(target.name)}`);
  }
  await one.ok("add sync s tables=t1,t2 dbs=A,B");
  await two.ok("add sync s tables=t1 dbs=A,B");

  expect(await one.ok("uninstall --dryrun")).toMatch(/Would remove \d+ objects from database "A"/);
  for (const typed of ["yes\n", "", `${two.control.name}\n`])
    expect((await one.run("uninstall", { typed })).err).toContain("Nothing was changed");
  const out = await one.ok("uninstall", { typed: `${one.control.name}\n` });
  expect(out).toContain('Removed Bucardo from database "A"; what other control databases have there stays (s)');
  expect(out).toContain('Nothing of ours is on database "B"');
  expect(await one.control.query("select from pg_namespace where nspname = 'bucardo'")).toEqual([]);
  expect(await two.ok("validate all")).toBe("Validating sync s ... OK\n");
  const left = await source.query<{ table: string }>(
    "select distinct tgrelid::regclass::text as table from pg_trigger where not tgisinternal",
  );
  expect(left).toEqual([{ table: "t1" }]);

  expect(await two.ok("uninstall --batch")).toContain('Removed Bucardo from database "A"');
  expect(await ours(one, 0)).toEqual([]);
});

// proves: 6.1/control-anywhere
test("the control database may itself be a source: uninstall leaves the users' tables alone", async () => {
  await using site = await openSite({ majors: [17, 17], schema });
  const { server, name } = site.control;
  await site.control.query(`${schema}; insert into t1 values (1, 'mine')`);
  await site.ok(`add db C dbname=${name} host=${server.host} port=${server.port} user=postgres`);
  await site.ok("add db A $A");
  await site.ok("add sync s tables=t1 dbs=C,A");
  expect(await site.ok("validate all")).toContain("OK");
  await site.ok("remove sync s");
  expect(await site.ok("list dbs C")).toContain("Database: C");
  await site.ok("add sync s tables=t1 dbs=C,A");
  await site.ok("uninstall --batch");
  expect(await site.control.query("select v from t1")).toEqual([{ v: "mine" }]);
  expect(await site.control.query("select from pg_trigger where not tgisinternal")).toEqual([]);
  expect(await site.control.query("select from pg_namespace where nspname = 'bucardo'")).toEqual([]);
});

// proves: 6.1/settings, 6.1/settings-legacy
test("settings: values checked together, legacy names kept and listed as such, default, show exits 0", async () => {
  await using site = await openSite({ majors: [18] });
  const wrong = await site.run("set log_level=loud purge_interval=never lock_timeot=3");
  expect(wrong.code).toBe(1);
  expect(wrong.err).toMatch(/3 problems/);
  expect(wrong.err).toMatch(/log_level must be[^]*purge_interval must be[^]*Did you mean lock_timeout\?/);
  expect(await site.ok("set log_level=debug kid_sleep=0.5")).toBe(
    'Set "log_level" to "debug"\nSet "kid_sleep" to "0.5"  (without meaning here)\n',
  );
  expect(await site.ok("show changed")).toMatch(
    /^(?:http +[^\n]*\n)?kid_sleep = 0.5 {2}\(without meaning here\)\nlog_level = debug\npiddir {4}= /,
  );
  expect(await site.ok("set log_level=default")).toBe("log_level is back to its default\n");
  expect(await site.ok("show log_level")).toBe("log_level = normal\n");
  expect(await site.ok("show '^log_' --json")).toContain('"log_showpid"');
  expect((await site.run("show frobnicate")).code).toBe(1);
  expect(await site.ok("set purge_interval=5 --dryrun")).toContain("Dry run");
  expect(await site.ok("show purge_interval")).toBe("purge_interval = 60 seconds\n");
  await expect(readFile(`${site.home}/.bucardo/key`)).rejects.toThrow("ENOENT");
});

// proves: 6.3/compare
test("accept and compare", async () => {
  await using site = await openSite({ majors: [13, 18], schema });
  await site.ok("add db A $A");
  await site.ok("add db B $B");
  await site.ok("add sync s tables=t1,t2 dbs=A,B");
  expect(await site.run("compare s")).toMatchObject({ code: 0, out: expect.stringContaining("Sync s, target B: equal") });
  await site.databases[0]!.query("insert into t1 values (7, 'x')");
  const different = await site.run("compare s tables=t1");
  expect(different.code).toBe(1);
  expect(different.out).toContain("(7) only on the source");
  expect(await site.run("compare s tables=t2")).toMatchObject({ code: 0 });
  expect((await site.run("compare s Nope")).err).toContain("Its targets: B");
  expect((await site.run("compare s tables=zzz")).code).toBe(1);

  await site.databases[0]!.query("update bucardo.checkpoint set target_identity = '{}', source_identity = '{}'");
  expect(await site.ok("accept s")).toBe('Sync "s" goes on from its checkpoint towards B\n');
  expect(await site.databases[0]!.query("select target_identity, source_identity from bucardo.checkpoint")).toEqual([
    { target_identity: null, source_identity: null },
  ]);
  expect((await site.run("accept s A")).err).toContain('has no target "A"');
  expect((await site.run("accept nosuch")).err).toContain('Unknown sync "nosuch"');
});
