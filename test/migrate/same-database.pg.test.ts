import { expect, test } from "vitest";
import { endpointOf } from "../../src/migrate/endpoint.ts";
import { makePlan } from "../../src/migrate/plan.ts";
import { start } from "../../src/migrate/start.ts";
import { createDatabase } from "../harness/database.ts";
import { footprint } from "../harness/footprint.ts";
import { startServer } from "../harness/server.ts";

const options = { only: [], skip: [], jobs: 1, maxRate: null, roles: false, pgDump: "built-in", skipObjects: [] };

test("a database moves to a server that was made of the old one's files, and not to itself by another address", async () => {
  await using older = await startServer({ major: 16 });
  await using younger = await startServer({ major: 16 });
  await using old = await createDatabase(older, { name: "app" });
  await using young = await createDatabase(younger, { name: "app" });
  await old.query("create table t (id int primary key); insert into t values (1)");
  // The servers of the harness are copies of one cluster.
  const system = "select system_identifier::text as system from pg_control_system()";
  expect(await young.one(system)).toEqual(await old.one(system));
  const quiet = { onMessage: () => undefined, onProgress: () => undefined, onPhase: () => undefined };
  const to = (conn: string) => ({
    old: endpointOf("old", old.url),
    new: endpointOf("new", conn),
    signal: new AbortController().signal,
    ...quiet,
  });
  const stops = async (conn: string) =>
    (await makePlan(to(conn), options)).findings.filter(({ grade }) => grade === "stop").map(({ what }) => what);

  const before = await footprint(old);
  for (const itself of [old.url, `host=${older.socketDir} port=${older.port} user=postgres dbname=app`]) {
    expect(await stops(itself)).toContain("both sides are the same database");
    await expect(start(to(itself), options)).rejects.toMatchObject({ code: "usage", message: expect.stringContaining("same database") });
  }
  expect(await footprint(old)).toEqual(before);

  expect(await stops(young.url)).toEqual([]);
  await start(to(young.url), options);
  expect(await young.query("select id from t")).toEqual([{ id: 1 }]);
});
