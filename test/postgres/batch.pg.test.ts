import { expect, test } from "vitest";
import { cancelQuery } from "../../src/postgres/cancel.ts";
import { prepared, sql } from "../../src/postgres/sql.ts";
import { isInTransaction } from "../../src/postgres/transaction.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { answers, openDatabase } from "./rig.ts";

test.for([10, 18] as const)("PostgreSQL %i answers a batch statement by statement, whole transactions too", async (major) => {
  await using given = await openDatabase(await sharedServer(major));
  const { session } = given;
  const found = await session.batch([
    sql("test.begin", "begin isolation level repeatable read"),
    sql("test.make", "create table public.t (a int8, b text)"),
    sql("test.fill", "insert into public.t select n, $1 from generate_series(1, $2::int) n", ["it's", 3]),
    sql("test.read", "select a, b from public.t where a > $1 order by a", [1]),
    sql("test.none", "select a from public.t where false"),
    sql("test.commit", "commit"),
    sql("test.level", "show transaction_isolation"),
  ]);
  expect(found.map(({ count }) => count)).toEqual([0, 0, 3, 2, 0, 0, 0]);
  expect(found[3]!.rows).toEqual([
    { a: 2, b: "it's" },
    { a: 3, b: "it's" },
  ]);
  expect(found[6]!.rows).toEqual([{ transaction_isolation: "read committed" }]);
  expect(isInTransaction(session)).toBe(false);
});

test("of a batch that fails outside of a transaction nothing stays, and the session goes on", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const { session } = given;
  await session.execute(sql("test.make", "create table public.t (a int primary key)"));
  const insert = (a: number) => sql("test.insert", "insert into public.t values ($1)", [a]);
  await expect(session.batch([insert(1), insert(1), insert(2)])).rejects.toMatchObject({ details: { sqlstate: "23505", db: "db" } });
  expect(await session.query(sql("test.read", "select from public.t"))).toHaveLength(0);
  await expect(session.batch([sql("test.big", "select 9007199254740993::int8")])).rejects.toThrow(/safe integer/);
  expect(await answers(session)).toBe(true);
});

test("prepared statements are parsed once per session, and again after an error that left that unclear", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const { session } = given;
  const kept = () => session.query<{ statement: string }>(sql("test.kept", "select statement from pg_prepared_statements"));
  const double = (n: unknown) => prepared("test.double", "select $1::int * 2 as n", [n]);
  const triple = (n: unknown) => prepared("test.triple", "select $1::int * 3 as n", [n]);
  expect(await session.one(double(1))).toEqual({ n: 2 });
  expect(await session.one(double(2))).toEqual({ n: 4 });
  expect(await session.execute(double(3))).toBe(1);
  expect((await kept()).map(({ statement }) => statement)).toEqual([double(0).text]);
  await expect(session.batch([double("no"), triple(1)])).rejects.toMatchObject({ details: { sqlstate: "22P02" } });
  await expect(session.one(triple("no"))).rejects.toMatchObject({ details: { sqlstate: "22P02" } });
  expect(await session.one(triple(1))).toEqual({ n: 3 });
  expect(await session.one(double(4))).toEqual({ n: 8 });
});

test("a batch can be cancelled, and a lost connection ends it", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const { session, database } = given;
  const sleeping = session.batch([sql("test.one", "select 1"), sql("test.sleep", "select pg_sleep(60)")]);
  const seen = () =>
    database.query("select from pg_stat_activity where pid = $1 and state = 'active' and query like '%pg_sleep%'", [session.backendPid]);
  await waitFor(async () => (await seen()).length === 1, { what: "the batch to sleep" });
  await cancelQuery(session);
  await expect(sleeping).rejects.toMatchObject({ details: { sqlstate: "57014" } });
  const lost = session.batch([sql("test.sleep", "select pg_sleep(60)")]);
  await waitFor(async () => (await seen()).length === 1, { what: "the batch to sleep again" });
  await database.query("select pg_terminate_backend($1)", [session.backendPid]);
  await expect(lost).rejects.toMatchObject({ code: "connection-lost" });
});
