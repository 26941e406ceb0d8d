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
