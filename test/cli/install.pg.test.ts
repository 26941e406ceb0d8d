import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDatabase, onServer } from "../harness/database.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer, type Server } from "../harness/server.ts";
import { line } from "./line.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer({ major: 15 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const where = (): string[] => [`--dbhost=${server.host}`, `--dbport=${server.port}`];
const rolesAndDatabases = (): Promise<string[]> =>
  onServer(server, async (admin) => {
    const { rows } = await admin.query<{ name: string }>(
      "select rolname || ' ' || rolsuper as name from pg_roles where rolname !~ '^pg_' union all select datname from pg_database order by 1",
    );
    return rows.map((row) => row.name);
  });

// proves: 6.1/install-interactive, 6.1/no-plperl, 6.4/control-names
test("from nothing: asked like the article's version, role without any power, database, schema, pid directory; a second time it says so", async () => {
  await using home = await scratch();
  const pid = join(home.path, "run", "here");
  const first = await line(["install", ...where()], { home: home.path, typed: `7\n5\n${pid}\nP\n` });
  expect(first).toMatchObject({ code: 0, err: "" });
  expect(first.out).toContain(`5. PID directory:  ${pid}`);
  expect(first.out).toMatch(/Created role bucardo\nCreated database bucardo\nInstallation is now complete\./);
  expect(existsSync(pid)).toBe(true);
  const roles = await onServer(
    server,
    async (admin) =>
      (await admin.query("select rolsuper, rolcreaterole, rolcreatedb, rolcanlogin from pg_roles where rolname = 'bucardo'")).rows,
  );
  expect(roles).toEqual([{ rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolcanlogin: true }]);

  // The default user of all other commands is that role.
  expect(await line(["show", "piddir", ...where()], { home: home.path })).toEqual({ code: 0, out: `piddir = ${pid}\n`, err: "" });
  const before = await rolesAndDatabases();
  const second = await line(["install", "--batch", ...where()], { home: home.path });
  expect(second).toMatchObject({ code: 1, out: "" });
  expect(second.err).toContain("already installed");
  expect(await rolesAndDatabases()).toEqual(before);
});

// proves: 6.1/install-interactive
test.each([
  ["Q", "Q\n"],
  ["the end of input", ""],
])("%s leaves everything as it was", async (_how, typed) => {
  await using home = await scratch();
  const before = await rolesAndDatabases();
  const { code, out } = await line(["install", ...where(), "--dbname=other", `--piddir=${join(home.path, "no")}`], {
    home: home.path,
    typed,
  });
  expect(code).toBe(1);
  expect(out.trimEnd()).toMatch(/Goodbye!$/);
  expect(await rolesAndDatabases()).toEqual(before);
  expect(existsSync(join(home.path, "no"))).toBe(false);
});

// proves: 6.1/no-superuser
test("a plain owner of an existing database needs nothing else, and is told what to put into the rc file", async () => {
  await using home = await scratch();
  await using own = await createDatabase(server);
  await onServer(server, (admin) => admin.query(`create role plain login; alter database ${own.name} owner to plain`));
  const login = [...where(), "--dbuser=plain", `--dbname=${own.name}`];
  const installed = await line(["install", ...login, `--piddir=${home.path}`], { home: home.path });
  expect(installed).toMatchObject({ code: 0, err: "" });
  expect(installed.out).toContain(`dbname = ${own.name}; dbuser = plain`);
  expect(await line(["list", "dbs", ...login], { home: home.path })).toMatchObject({ code: 0, out: "No databases have been added yet\n" });
});

test("what is missing is explained, and nothing is changed", async () => {
  await using home = await scratch();
  await using own = await createDatabase(server);
  await onServer(server, (admin) => admin.query("create role powerless login"));
  const before = await rolesAndDatabases();
  const run = (...more: string[]) =>
    line(["install", ...where(), "--batch", `--piddir=${join(home.path, "pid")}`, ...more], { home: home.path });

  expect((await run("--dbuser=powerless", "--dbname=fresh")).err).toMatch(
    /"fresh" does not exist.*"powerless" may not create it[^]*owner "powerless"/,
  );
  expect((await run("--dbuser=powerless", `--dbname=${own.name}`)).err).toMatch(
    /may not create a schema in database[^]*grant create on database/,
  );
  expect((await run("--dbuser=nobody", "--dbname=fresh")).err).toContain("nobody");
  await own.query("create schema bucardo create table bucardo_config (name text)");
  expect((await run("--dbuser=postgres", `--dbname=${own.name}`)).err).toContain("Bucardo 4 or 5");
  expect((await line(["install", ...where(), "--batch", "--dbname=fresh", "--piddir=/proc/nowhere"], { home: home.path })).err).toContain(
    "/proc/nowhere",
  );
  expect(await rolesAndDatabases()).toEqual(before);
  expect(existsSync(join(home.path, "pid"))).toBe(false);
});

test("--dryrun says what would be done", async () => {
  await using home = await scratch();
  const before = await rolesAndDatabases();
  const { code, out } = await line(["install", ...where(), "--dryrun", "--dbname=dry", `--piddir=${join(home.path, "dry")}`], {
    home: home.path,
  });
  expect(code).toBe(0);
  expect(out).toContain("Created database dry");
  expect(out).toContain("Dry run: nothing was changed.");
  expect(await rolesAndDatabases()).toEqual(before);
  expect(existsSync(join(home.path, "dry"))).toBe(false);
});

test("a schema of another version is refused with what to do; upgrade applies what is missing", async () => {
  await using home = await scratch();
  await using own = await createDatabase(server);
  const login = [...where(), "--dbuser=postgres", `--dbname=${own.name}`];
  const run = (...argv: string[]) => line([...argv, ...login], { home: home.path });
  expect((await run("list", "dbs")).err).toContain("Run `bucardo install`");
  expect((await run("upgrade")).err).toContain("Run `bucardo install`");
  expect((await run("install", "--batch", `--piddir=${home.path}`)).code).toBe(0);
  expect(await run("upgrade")).toMatchObject({ code: 1, out: "No schema changes were needed\n" });

  await own.query("insert into bucardo.schema_version (version, name) values (99, 'future')");
  for (const command of ["list all", "upgrade"]) expect((await run(...command.split(" "))).err).toContain("version 99");
  await own.query("truncate bucardo.schema_version");
  await own.query("insert into bucardo.schema_version (version, name) values (0, 'past')");
  expect((await run("list", "dbs")).err).toContain("Run `bucardo upgrade`");
});

// proves: 6.1/install-batch
test("two installations at once: one does it, the other says that it is done", async () => {
  await using home = await scratch();
  const run = () => line(["install", "--batch", ...where(), "--dbname=atonce", `--piddir=${join(home.path, "pid")}`], { home: home.path });
  const both = await Promise.all([run(), run()]);
  expect(new Set(both.map(({ code }) => code))).toEqual(new Set([0, 1]));
  expect(both.find(({ code }) => code === 1)?.err).toContain("already installed");
});
