import { expect, test } from "vitest";
import { createDatabase, TestDatabase } from "./database.ts";
import { startServer } from "./server.ts";
import { caughtUp, diskImage, promote, startStandby } from "./standby.ts";

test.for([10, 18] as const)("a standby of PostgreSQL %i follows and is promoted", async (major) => {
  await using primary = await startServer({ major });
  await using database = await createDatabase(primary, { name: "kept" });
  await using standby = await startStandby(primary);
  await database.query("create table t as select 1 as a");
  await caughtUp(primary, standby);
  const copy = new TestDatabase(standby, "kept");
  expect(await copy.query("select a, pg_is_in_recovery() as standby from t")).toEqual([{ a: 1, standby: true }]);
  await primary.crash();
  await promote(standby);
  await copy.query("insert into t values (2)");
  expect(await copy.one("select count(*)::int as rows, pg_is_in_recovery() as standby from t")).toEqual({ rows: 2, standby: false });
  await copy.closeClients();
  await primary.start();
});

test("a disk image brings a server back to an earlier moment", async () => {
  await using server = await startServer({ major: 15 });
  await using database = await createDatabase(server);
  await database.query("create table t as select 1 as a");
  await database.closeClients();
  const image = await diskImage(server);
  await database.query("insert into t values (2)");
  await database.closeClients();
  await image.restore();
  expect(await database.query("table t")).toEqual([{ a: 1 }]);
});
