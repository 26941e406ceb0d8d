import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

/** Words and switches of versions 4 and 5 that need no daemon. */
let site: Site;
beforeAll(async () => {
  site = await openSite({
    majors: [15, 15],
    schema:
      "create table parent (id int primary key); create table child (id int primary key, of int references parent); create sequence ticket increment 5",
  });
  for (const name of ["A", "B"]) await site.ok(`add db ${name} $${name}`);
  await site.ok("add sync s tables=child,ticket dbs=A:source,B:target");
});
afterAll(() => site[Symbol.asyncDispose]());

// proves: 6.1/help
test("help: of everything, of a command, --version; no verb is a mistake of whoever typed it", async () => {
  expect(await site.ok("help")).toContain("kick");
  expect(await site.ok("help add sync")).toContain("tables=");
  expect(await site.ok("kick --help")).toBe(await site.ok("help kick"));
  expect(await site.ok("--version")).toMatch(/^bucardo version \d+\.\d+/);
  expect(await site.ok("--version", { program: "bucardo_ctl" })).toMatch(/^bucardo_ctl version /);
  expect(await site.run("")).toMatchObject({ code: 1, out: "", err: expect.stringContaining("Usage: bucardo") as string });
});

// proves: 6.1/inspect
test("inspect of every object", async () => {
  expect(await site.ok("inspect table child")).toMatch(/refers to public\.parent\nWarning: public\.parent.* is not in relgroup "s"/);
  expect(await site.ok("inspect sequence ticket")).toMatch(
    /^Sequence public\.ticket of A: bigint, start 1, step 5, .*\n {2}relgroups: s; syncs: s\n$/,
  );
  expect(await site.ok("inspect herd s")).toMatch(
    /^Relgroup s: 2 relations of A; syncs: s\n {2}public\.child {2}key: id\n.*sequence\nWarning: public\.parent/,
  );
  expect(await site.ok("inspect dbgroup s")).toMatch(
    /^Dbgroup s: 2 databases; syncs: s\n {2}A {2}source: answers, PostgreSQL 15\n {2}B {2}target: answers/,
  );
  expect(await site.ok("inspect sync s")).toContain("public.child");
  expect(await site.ok("inspect db A")).toContain("trigger");
});

// proves: 6.2/server-side-prepares, 6.2/lifetime-maxkicks, 6.2/isolation-level, 6.2/track-rates, 6.1/settings-legacy
test("what has no meaning here is accepted, said and listed", async () => {
  const { code, out, err } = await site.run("add db P $B ssp=off");
  expect({ code, out, err }).toEqual({
    code: 0,
    out: 'Added database "P"\n',
    err: "Note: without meaning here: server_side_prepares (`bucardo help add db`)\n",
  });
  expect(JSON.parse(await site.ok("list dbs P --json"))).toMatchObject({ databases: [{ legacy: { server_side_prepares: "off" } }] });
  await site.ok("remove db P");
  const changed = await site.run("update sync s lifetime='1 hour' maxkicks=5 stayalive=1 kidsalive=1 txnmode=serializable track_rates=on");
  expect(changed).toMatchObject({
    code: 0,
    err: expect.stringMatching(/without meaning here: .*lifetime.*isolation_level.*track_rates/) as string,
  });
  expect(await site.ok("list sync s -v")).toMatch(/Without meaning here: .*lifetime/);
});

// proves: 6.1/alter-sync, 6.2/sync-settings, 6.2/autokick, 6.2/sync-priority
test("alter sync of version 4; settings of one sync, shown as they are for it", async () => {
  expect(await site.ok("alter sync s ping=off priority=3 retry_longest='5 s'")).toBe(
    'Changed sync "s" autokick from true to false\nChanged sync "s" priority from 0 to 3\nChanged sync "s" retry_longest from default to 5 s\n',
  );
  expect(await site.ok("show retry_longest sync=s")).toBe("retry_longest = 5 s\n");
  expect(await site.ok("show retry_longest")).toBe("retry_longest = 30 seconds\n");
  expect((await site.run("update sync s overdue=soon")).code).toBe(1);
  expect(await site.ok("list syncs -v")).toContain("retry_longest = 5 s");
});

// proves: 6.2/limits
test("limits of a database, told and changed", async () => {
  expect(await site.ok("update db B targetlimit=1 sourcelimit=2")).toBe(
    "Changed bucardo.db sourcelimit from none to 2\nChanged bucardo.db targetlimit from none to 1\n",
  );
  expect(JSON.parse(await site.ok("list dbs B --json"))).toMatchObject({ databases: [{ sourcelimit: 2, targetlimit: 1 }] });
  expect(await site.ok("update db B targetlimit=0 sourcelimit=0")).toContain("targetlimit from 1 to none");
});

// proves: 6.2/db-dsn
test("a driver's own string is refused with what to take instead", async () => {
  expect(await site.run("add db X $B dbdsn=dbi:Pg:x")).toMatchObject({ code: 1, err: expect.stringContaining("url= or conn=") as string });
});

// proves: 6.3/other-targets
test("other kinds of databases are refused", async () => {
  for (const type of ["mysql", "mariadb", "oracle", "sqlite", "firebird", "drizzle", "mongo", "redis"])
    expect(await site.run(`add db X $B type=${type}`)).toMatchObject({ code: 1, err: expect.stringContaining(`"${type}"`) as string });
});

// proves: 6.1/rcfile, 6.1/rcfile-settings, 6.1/environment
test("the rc file of the current directory, one that is named, none; a setting in it counts for this process", async () => {
  const { server, name } = site.control;
  await mkdir(join(site.home, "elsewhere"));
  const login = `dbhost : ${server.host}\ndbport=${server.port}\ndbname=${name}\ndbuser=postgres\n`;
  await writeFile(join(site.home, "own.rc"), `# mine\n${login}log_level=debug\n`);
  expect(await site.ok(`show log_level --bucardorc=${join(site.home, "own.rc")}`)).toBe("log_level = debug\n");
  expect(await site.ok("show log_level")).toBe("log_level = normal\n");
  expect((await site.run("show log_level --bucardorc=nowhere.rc")).code).toBe(1);
  expect((await site.run("show log_level --no-bucardorc --dbport=1")).err).toContain("no rc file was found");
  const env = { BUCARDO_DBNAME: name, BUCARDO_DBHOST: server.host, BUCARDO_DBPORT: String(server.port), BUCARDO_DBUSER: "postgres" };
  expect(await site.ok("show log_level --no-bucardorc", { env })).toBe("log_level = normal\n");
});

// proves: 6.2/add-table, 6.2/add-all, 6.2/key-choice
test("tables by wildcard, and all of them but some", async () => {
  expect(await site.ok("add table par* db=B")).toContain("public.parent");
  expect(await site.ok("add all tables db=B -T 'par*'")).toMatch(/New tables added: 1\n/);
  expect(await site.ok("add all sequences db=B -n public")).toMatch(/New sequences added: 1\n/);
  expect(await site.ok("list tables db=B")).toMatch(/Table: public\.child +DB: B +PK: id/);
});
