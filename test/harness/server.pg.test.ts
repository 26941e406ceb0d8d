import { expect, test } from "vitest";
import { majors } from "./binaries.ts";
import { createDatabase } from "./database.ts";
import { startServer } from "./server.ts";
import { sharedServer } from "./shared-server.ts";
import { processesIn } from "./watchdog.ts";

test.for(majors)("PostgreSQL %i starts, answers and is shared", async (major) => {
  const server = await sharedServer(major);
  await using database = await createDatabase(server);
  const { version } = await database.one<{ version: string }>("select current_setting('server_version_num') as version");
  expect(Math.floor(Number(version) / 10_000)).toBe(major);
  expect(await sharedServer(major)).toEqual(server);
});

test("a crashed server recovers what was committed, and leaves no process", async () => {
  const server = await startServer({ major: 18 });
  const dir = server.dataDir;
  {
    await using ended = server;
    const database = await createDatabase(ended, { name: "kept" });
    await database.query("create table t as select 1 as a");
    await ended.crash();
    expect(processesIn(dir)).toEqual([]);
    await ended.start();
    expect(await database.query("table t")).toEqual([{ a: 1 }]);
  }
  expect(processesIn(dir)).toEqual([]);
});

test("a server may ask for passwords", async () => {
  await using server = await startServer({ major: 15, auth: "scram-sha-256" });
  await using database = await createDatabase(server);
  await expect(database.query("select 1")).rejects.toThrow(/password/);
});

test("a database is cloned from a template that is filled once, and is dropped whoever uses it", async () => {
  const server = await sharedServer(12);
  let fills = 0;
  const template = {
    name: "harness_smoke",
    async fill(client: { query(text: string): Promise<unknown> }) {
      fills++;
      await client.query("create table t as select 1 as a");
    },
  };
  const databases = await Promise.all([1, 2, 3].map(() => createDatabase(server, { template })));
  expect(fills).toBe(1);
  for (const database of databases) {
    expect(await database.query("table t")).toEqual([{ a: 1 }]);
    await database[Symbol.asyncDispose]();
  }
  await using other = await createDatabase(server);
  expect(await other.query("select datname from pg_database where datname = any($1)", [databases.map(({ name }) => name)])).toEqual([]);
});
