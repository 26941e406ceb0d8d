import { expect, test } from "vitest";
import { connect } from "../../src/postgres/connect.ts";
import { isOneDatabase } from "../../src/replicate/one-database.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { startServer } from "../harness/server.ts";

const numbers =
  "select (select system_identifier::text from pg_control_system()) as system, (select oid::int from pg_database where datname = current_database()) as database";

const open = (database: TestDatabase, host = database.server.host) =>
  connect({ name: "side", host, port: database.server.port, user: "postgres", dbname: database.name });

test("a server made of the files of another one is another one; one database by two addresses is one", async () => {
  await using first = await startServer({ major: 16 });
  await using second = await startServer({ major: 16 });
  await using one = await createDatabase(first, { name: "app" });
  await using copy = await createDatabase(second, { name: "app" });
  await using beside = await createDatabase(first, { name: "beside" });
  // Both servers are copies of one cluster, and these are their first databases: by their numbers they are the same.
  expect(await copy.one(numbers)).toEqual(await one.one(numbers));
  await using byTcp = await open(one);
  await using bySocket = await open(one, first.socketDir);
  await using inCopy = await open(copy);
  await using inOther = await open(beside);
  expect(await isOneDatabase(byTcp, bySocket)).toBe(true);
  expect(await isOneDatabase(bySocket, byTcp)).toBe(true);
  expect(await isOneDatabase(byTcp, inCopy)).toBe(false);
  expect(await isOneDatabase(inCopy, byTcp)).toBe(false);
  expect(await isOneDatabase(byTcp, inOther)).toBe(false);
  // Nothing is held afterwards.
  expect(await one.query("select from pg_locks where locktype = 'advisory'")).toEqual([]);
});
