import { existsSync } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

let site: Site;
let database: Site["databases"][number];
const keys = (): string => `host=${database.server.host} port=${database.server.port} user=postgres`;

beforeAll(async () => {
  site = await openSite({ majors: [14], schema: "create table t (id int primary key); create sequence s" });
  database = site.databases[0]!;
});
afterAll(() => site[Symbol.asyncDispose]());

const stored = async (): Promise<string[]> =>
  (await site.control.query<{ name: string }>("select name from bucardo.db order by 1")).map((row) => row.name);

// proves: 6.1/add-update-remove, 6.2/db-connection, 6.4/programs, 6.4/messages
test("both forms, with the messages of their versions; several at once", async () => {
  expect(await site.ok(`add db ${database.name} name=old ${keys()}`, { program: "bucardo_ctl" })).toBe("Database added: old\n");
  expect(await site.ok(`add db ${database.name} ${keys()}`, { program: "bucardo_ctl" })).toBe(`Database added: ${database.name}\n`);
  expect(await site.ok("add db A $A")).toBe('Added database "A"\n');
  expect(await site.ok(`add db B,C dbname=${database.name},postgres ${keys()} group=g`)).toBe(
    'Added databases "B","C"\nCreated dbgroup "g"\nAdded database "B" to dbgroup "g" as source\nAdded database "C" to dbgroup "g" as target\n',
  );
  expect(await site.ok(`add db D:source dbname=postgres ${keys()} group=g`)).toContain('Added database "D" to dbgroup "g" as source');
  expect(
    await site.ok(`add db U url=postgresql://postgres@${database.server.host}:${database.server.port}/${database.name}?sslmode=disable`),
  ).toBe('Added database "U"\n');
  expect(await site.ok(`add db all1 $A addalltables=yes --addallsequences`)).toBe(
    'Added database "all1"\nNew tables added: 1\nNew sequences added: 1\n',
  );
  expect(await site.ok("list dbs U")).toContain("sslmode='disable'");
});

// proves: 6.1/environment
test("host and port of the environment are kept, so that the daemon's does not matter", async () => {
  const env = { PGHOST: database.server.host, PGPORT: String(database.server.port) };
  await site.ok(`add db env1 dbname=${database.name} user=postgres`, { env });
  expect(JSON.parse(await site.ok("list dbs env1 --json"))).toMatchObject({
    databases: [{ host: env.PGHOST, port: database.server.port }],
  });
});

test("what does not answer is not stored: each fault with its own message and remedy", async () => {
  const before = await stored();
  const mute = createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  const { port } = mute.address() as AddressInfo;
  try {
    const faults: [string, string][] = [
      [`add db x dbname=y host=127.0.0.1 port=1 user=postgres`, "connection-failed"],
      [`add db x dbname=y host=127.0.0.1 port=${port} user=postgres`, "not-postgres"],
      [`add db x dbname=nosuchdb ${keys()}`, "connection-failed"],
      [`add db x $A user=`, "usage"],
      [`add db x dbname=y host=h port=99999`, "bad-value"],
      [`add db 1x $A`, "bad-value"],
      [`add db x ${keys()}`, "bad-value"],
      [`add db x $A type=mysql`, "not-supported"],
      [`add db x $A conn='password=secret'`, "bad-value"],
      [`add db x $A pass=env:`, "bad-value"],
      [`add db x $A status=sleeping`, "bad-value"],
      [`add db A $A`, "already-exists"],
    ];
    for (const [command, code] of faults) {
      const { code: exit, out, err } = await site.run(`${command} --json`);
      expect({ command, exit, out, error: (JSON.parse(err) as { error: { code: string } }).error.code }).toEqual({
        command,
        exit: 1,
        out: "",
        error: code,
      });
    }
  } finally {
    await new Promise((resolve) => mute.close(resolve));
  }
  expect(await stored()).toEqual(before);
});

test("--dbname is the control database, and the message says so", async () => {
  const { err } = await site.run(`add db x ${keys()}`);
  expect(err).toContain("must supply a database name to connect to");
  expect(err).toContain("--dbname is the control database");
});

// proves: 6.1/force, 6.2/db-force
test("--force stores it all the same", async () => {
  const { code, out } = await site.run("add db dead dbname=y host=127.0.0.1 port=1 user=postgres --force");
  expect(code).toBe(0);
  expect(out).toContain("without a working connection");
  expect(await stored()).toContain("dead");
  await site.ok("remove db dead");
});

// proves: 6.2/db-connection
test("a password is never in clear text: sealed with a key file of mode 0600, or only the name of a variable", async () => {
  await site.ok("add db sealed $A pass=geheim123");
  await site.ok("add db named $A pass=env:SHOP_PASSWORD", { env: { SHOP_PASSWORD: "geheim123" } });
  const rows = await site.control.query<{ name: string; password: string }>(
    "select name, password from bucardo.db where name in ('sealed', 'named') order by 1",
  );
  expect(rows[0]).toEqual({ name: "named", password: "env:SHOP_PASSWORD" });
  expect(rows[1]?.password).toMatch(/^enc:v1:/);
  expect((await stat(join(site.home, ".bucardo", "key"))).mode & 0o777).toBe(0o600);
  for (const command of ["list dbs -vv", "list dbs --json", "list all -vv"]) {
    const shown = await site.ok(command);
    expect(shown).not.toContain("geheim123");
    expect(shown).not.toContain("enc:v1:");
  }
  expect((await site.run("add db unset $A pass=env:NOT_SET_ANYWHERE")).err).toContain("NOT_SET_ANYWHERE");
});

// proves: 6.1/dryrun-confirm
test("--dryrun checks and stores nothing, not even a key file", async () => {
  await using other = await openSite({ majors: [14] });
  expect(await other.ok("add db A $A pass=x --dryrun")).toBe('Added database "A"\nDry run: nothing was changed.\n');
  expect(await other.ok("list dbs")).toBe("No databases have been added yet\n");
  expect(existsSync(join(other.home, ".bucardo", "key"))).toBe(false);
  expect((await other.run("add db A dbname=x host=127.0.0.1 port=1 --dryrun")).code).toBe(1);
});

// proves: 6.1/dryrun-confirm, 6.1/environment
test("--confirm asks; anything but yes changes nothing", async () => {
  for (const typed of ["n\n", "\n", ""]) {
    const { code, out, err } = await site.run("add db asked $A --confirm", { typed });
    expect({ code, asked: out.includes('Added database "asked"\nCommit the changes? Y/N'), err }).toEqual({
      code: 1,
      asked: true,
      err: "Nothing was changed.\n",
    });
  }
  expect(await stored()).not.toContain("asked");
  expect((await site.run("add db asked $A", { typed: "y\n", env: { BUCARDO_CONFIRM: "1" } })).code).toBe(0);
  expect(await stored()).toContain("asked");
});

// proves: 6.1/add-update-remove, 6.2/dbgroup
test("update tries the new connection first; remove refuses what is referred to", async () => {
  await site.ok("add db upd $A");
  expect(await site.ok("update db upd status=inactive")).toBe("Changed bucardo.db status from active to inactive\n");
  expect(await site.ok("update db upd status=inactive")).toBe("No change needed\n");
  expect((await site.run("update db upd port=1")).err).toContain("Nothing was changed");
  expect(await site.ok("update db upd group=g2:source,g3")).toBe(
    'Created dbgroup "g2"\nAdded database "upd" to dbgroup "g2" as source\nCreated dbgroup "g3"\nAdded database "upd" to dbgroup "g3" as target\n',
  );
  expect(await site.ok("update db upd group=g3")).toBe('Removed database "upd" from dbgroup "g2"\nNo change needed for dbgroup "g3"\n');
  expect((await site.run("remove db upd")).err).toContain("dbgroup g3");
  expect(await site.ok("update db upd name=renamed")).toBe("Changed bucardo.db name from upd to renamed\n");
  expect(await site.ok("list dbgroups g3")).toBe("dbgroup: g3  Members: renamed:target\n");
  expect(await site.ok("remove db renamed --force")).toBe('Removed database "renamed"\n');
  expect((await site.run("remove db nosuch")).err).toContain('Unknown db: "nosuch"');
});

// proves: 6.1/quiet-verbose-debug
test("--quiet says nothing; reading commands still answer", async () => {
  expect(await site.run("add db hush $A --quiet")).toEqual({ code: 0, out: "", err: "" });
  expect(await site.ok("list dbs hush -q")).toContain("Database: hush");
});

// proves: 6.1/rcfile
test("a rc file that is broken is told of, by line; one that cannot be read stops everything", async () => {
  await using other = await openSite({ majors: [14] });
  const rc = join(other.home, ".bucardorc");
  const login = `dbhost=${database.server.host}\ndbport=${database.server.port}\ndbname=${other.control.name}\ndbuser=postgres\n`;
  await writeFile(rc, `${login}nonsense\nfrobnicate=1\n`);
  const { code, err } = await other.run("list dbs");
  expect(code).toBe(0);
  expect(err).toMatch(/line 5.*\n.*line 6.*frobnicate/);
  expect((await other.run("list dbs --bucardorc=/no/such/file")).err).toContain("/no/such/file");
  await writeFile(rc, `${login}dbport=many\n`);
  expect(await other.run("list dbs")).toMatchObject({ code: 1, out: "" });
});
