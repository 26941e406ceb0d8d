import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keysOf, openHome, type Home } from "../e2e/home.ts";
import { createAuthority } from "../harness/certificate.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { startServer, type Server } from "../harness/server.ts";

/** The program as it is installed, and a target that takes only TLS. */
let home: Home;
let guarded: Server;
let control: TestDatabase, source: TestDatabase, target: TestDatabase;
const authority = createAuthority();

beforeAll(async () => {
  const tls = authority.issue({ commonName: "target", hosts: ["127.0.0.1"] });
  guarded = await startServer({ major: 17, tls, hba: ["hostssl all bee 127.0.0.1/32 trust", "hostnossl all bee 127.0.0.1/32 reject"] });
  const server = await sharedServer(15);
  [control, source, target] = [await createDatabase(server), await createDatabase(server), await createDatabase(guarded)];
  for (const database of [source, target]) await database.query("create table big (id int primary key, body text)");
  await target.query("create role bee login superuser");
  home = await openHome(control);
  await writeFile(join(home.path, "root.crt"), authority.certificate);
  await writeFile(join(home.path, "other.crt"), createAuthority("another").certificate);
  await home.ok("install --batch");
  await home.ok(`add db A ${keysOf(source)}`);
}, 90_000);

afterAll(async () => {
  await home?.run("stop");
  await home?.[Symbol.asyncDispose]();
  for (const database of [control, source, target]) await database?.[Symbol.asyncDispose]();
  await guarded?.[Symbol.asyncDispose]();
});

// proves: 6.2/db-tls
test("TLS to a replicated database: verified, by the daemon too; another authority and plain text are refused", async () => {
  const bee = keysOf(target).replace("user=postgres", "user=bee");
  const other = await home.run(`add db B ${bee} conn="sslmode=verify-full sslrootcert=${join(home.path, "other.crt")}"`);
  expect(other.code).toBe(1);
  expect(other.stderr).toMatch(/certificate/i);
  expect((await home.run(`add db B ${bee} conn=sslmode=disable`)).code).toBe(1);
  await home.ok(`add db B ${bee} conn="sslmode=verify-full sslrootcert=${join(home.path, "root.crt")}"`);
  await home.ok("add sync s tables=big dbs=A:source,B:target autokick=off");
  await home.ok("start");
  await source.query("insert into big values (1, 'through TLS')");
  await home.ok("kick s 0");
  expect(await equalTables(source, target, ["big"])).toEqual([]);
  const sessions = "select bool_and(s.ssl) as ssl from pg_stat_ssl s join pg_stat_activity a using (pid) where a.usename = 'bee'";
  expect(await target.one(sessions)).toEqual({ ssl: true });
});

// proves: 6.3/bounded-memory
test("a run of 200 MB does not grow the daemon by half of that", { timeout: 120_000 }, async () => {
  const pid = Number((await readFile(join(home.path, "pid", "bucardo.mcp.pid"), "utf8")).split("\n")[0]);
  const peak = async () => Number(/^VmHWM:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
  const before = await peak();
  // Compressed once: the rows are small on the source's disk, and 100 kB each on their way.
  await target.query("alter table big alter body set storage external");
  await source.query("insert into big values (2, repeat(md5('x'), 3200))");
  await source.query("insert into big select n, body from big, generate_series(3, 2001) n where id = 2");
  await home.ok("kick s 0");
  const grown = (await peak()) - before;
  const all = "select count(*)::int as rows, sum(octet_length(body))::bigint::text as bytes from big";
  expect(await target.one(all)).toEqual(await source.one(all));
  expect(grown).toBeLessThan(100);
});
