import { expect, test } from "vitest";
import { cancelQuery } from "../../src/postgres/cancel.ts";
import type { Session } from "../../src/postgres/session.ts";
import { sql } from "../../src/postgres/sql.ts";
import { isInTransaction, transaction } from "../../src/postgres/transaction.ts";
import { createDatabase } from "../harness/database.ts";
import { faultProxy } from "../harness/fault-proxy.ts";
import { startServer } from "../harness/server.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { answers, openDatabase, sessionTo } from "./rig.ts";

test.for([10, 18] as const)("values of PostgreSQL %i become what the contract of Session says", async (major) => {
  await using given = await openDatabase(await sharedServer(major));
  const row = await given.session.one(
    sql(
      "test.values",
      `select 9007199254740991::int8 as int8, 1::int2 as int2, -1 as int4, 4294967295::oid as oid, 1.50::numeric as numeric, 0.1::float8 as float8, true as bool,
        '2026-01-02 03:04:05.678+02'::timestamptz as at, '2026-01-02 03:04:05'::timestamp as local, '2026-01-02'::date as day, '{"a": [1]}'::json as json,
        '{"b": null}'::jsonb as jsonb, array['a', null, 'b,"c'] as text, '{1,2}'::int8[] as int8s, '{1}'::int4[] as int4s, '{t,f}'::bool[] as bools,
        array['x']::name[] as names, '\\x00ff'::bytea as bytea, null as nothing, 'pg_class'::regclass as regclass, 'a'::"char" as letter`,
    ),
  );
  expect(row).toEqual({
    int8: 9007199254740991,
    int2: 1,
    int4: -1,
    oid: 4294967295,
    numeric: "1.50",
    float8: 0.1,
    bool: true,
    at: new Date("2026-01-02T01:04:05.678Z"),
    local: "2026-01-02 03:04:05",
    day: "2026-01-02",
    json: { a: [1] },
    jsonb: { b: null },
    text: ["a", null, 'b,"c'],
    int8s: [1, 2],
    int4s: [1],
    bools: [true, false],
    names: ["x"],
    bytea: "\\x00ff",
    nothing: null,
    regclass: "pg_class",
    letter: "a",
  });
  await expect(given.session.query(sql("test.big", "select 9007199254740993::int8"))).rejects.toThrow(/safe integer/);
  expect(await answers(given.session)).toBe(true);
});

test("parameters, affected rows, scripts and the only row", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const { session } = given;
  await session.script(
    sql("test.shape", "create table public.t (a int, b text); insert into public.t values (1, 'x'); insert into public.t values (2, null)"),
  );
  expect(await session.execute(sql("test.update", "update public.t set b = $1 where a = any($2)", ["it's", [1, 2, 3]]))).toBe(2);
  expect(await session.query(sql("test.read", "select a, b from public.t order by a"))).toEqual([
    { a: 1, b: "it's" },
    { a: 2, b: "it's" },
  ]);
  await expect(session.one(sql("test.read", "select a from public.t"))).rejects.toThrow("test.read must give one row, gave 2");
  await expect(session.one(sql("test.read", "select a from public.t where false"))).rejects.toThrow("gave 0");
});

test("a statement shows under its name, the application under its own", async () => {
  await using given = await openDatabase(await sharedServer(15), { session: { applicationName: "bucardo test" } });
  const shown = await given.session.one(
    sql("test.shown", "select query, application_name as name from pg_stat_activity where pid = pg_backend_pid()"),
  );
  expect(shown).toEqual({ query: expect.stringMatching(/^\/\* bucardo:test.shown \*\/ select/), name: "bucardo test" });
});

test("statements asked for at once run one after another, and a failure does not stop the next", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const { session } = given;
  const outcomes = await Promise.allSettled([1, 0, 2].map((n) => session.one(sql("test.divide", "select 6 / $1::int as n", [n]))));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("errors are those of the catalogue, with SQLSTATE, without values of rows", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const { session } = given;
  await session.script(
    sql(
      "test.shape",
      `create table public.t (id int primary key, secret text not null, small int check (small < 10), day date);
       insert into public.t values (4711, 'geheim', 1, null);
       create function public.shout() returns trigger language plpgsql as 'begin raise exception ''%'', new.secret; end';
       create table public.loud (secret text);
       create trigger shout before insert on public.loud for each row execute procedure public.shout();
       create role reader_${given.database.name}`,
    ),
  );
  const cases: readonly [text: string, code: string, sqlstate: string, says: string][] = [
    ["insert into public.t values (4711, 'geheim', 1)", "data-rejected", "23505", "t_pkey"],
    ["insert into public.t values (4712, null, 1)", "data-rejected", "23502", "secret"],
    ["insert into public.t values (4713, 'geheim', 4711)", "data-rejected", "23514", "t_small_check"],
    ["insert into public.t values (1, 'geheim', 1, '4711-99-99')", "data-rejected", "22008", "date"],
    ["select 'geheim 4711'::int", "data-rejected", "22P02", "integer"],
    ["insert into public.loud values ('geheim 4711')", "data-rejected", "P0001", "exception"],
    ["select * from public.missing", "schema-mismatch", "42P01", "missing"],
    ["select missing from public.t", "schema-mismatch", "42703", "missing"],
    ["selec", "internal", "42601", "syntax"],
    [`set role reader_${given.database.name}; select * from public.t`, "permission-denied", "42501", "t"],
    ["reset role; select chr(0)", "data-rejected", "54000", "character"],
    ["set transaction read only; delete from public.t", "server-not-ready", "25006", "read-only"],
    ["set lock_timeout = 1; lock table public.t", "lock-timeout", "55P03", "lock"],
  ];
  await using other = await sessionTo(given.database);
  for (const [text, code, sqlstate, says] of cases) {
    if (sqlstate === "55P03") await other.script(sql("test.lock", "begin; lock table public.t"));
    const failure = (await transaction(session, {}, () => session.script(sql("test.fail", text))).catch(
      (error: unknown) => error,
    )) as Error;
    expect(failure, text).toMatchObject({ code, details: { sqlstate, db: "db" }, message: expect.stringContaining(says) });
    expect(failure.message).not.toMatch(/4711|geheim/);
  }
  await session.script(sql("test.reset", "reset role"));
  await other.close();
  await given.database.query(`drop role reader_${given.database.name}`);
});

test("a transaction commits, rolls back, and does not take a swallowed error for a success", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const { session } = given;
  await session.script(sql("test.shape", "create table public.t (a int primary key deferrable initially deferred)"));
  const insert = (value: number) => session.execute(sql("test.insert", "insert into public.t values ($1)", [value]));
  const rows = async () => (await session.query<{ a: number }>(sql("test.read", "select a from public.t order by a"))).map(({ a }) => a);

  expect(await transaction(session, { isolation: "repeatable read" }, async () => (await insert(1), isInTransaction(session)))).toBe(true);
  await expect(transaction(session, {}, async () => (await insert(2), Promise.reject(new Error("no"))))).rejects.toThrow("no");
  await expect(transaction(session, { readOnly: true }, () => insert(3))).rejects.toMatchObject({ details: { sqlstate: "25006" } });
  await expect(transaction(session, {}, () => insert(1))).rejects.toMatchObject({ details: { sqlstate: "23505" } }); // at the commit
  const swallowed = transaction(session, {}, async () => {
    await insert(4);
    await session.script(sql("test.bad", "select 1 / 0")).catch(() => undefined);
  });
  await expect(swallowed).rejects.toThrow(/nobody noticed/);
  expect(isInTransaction(session)).toBe(false);
  expect(await rows()).toEqual([1]);
});

test("notifications are heard", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const heard: string[] = [];
  await given.session.listen('odd "channel"', (payload) => heard.push(payload));
  await given.database.query(`notify "odd ""channel""", 'one'; notify other, 'two'; notify "odd ""channel""", ''`);
  await waitFor(() => heard.length === 2, { what: "two notifications" });
  expect(heard).toEqual(["one", ""]);
});

const losses: readonly (readonly [
  string,
  (of: { session: Session; kill: (pid: number) => Promise<unknown>; cut: () => void }) => unknown,
])[] = [
  ["the backend is terminated", ({ session, kill }) => kill(session.backendPid)],
  ["the network breaks", ({ cut }) => cut()],
];

test.for(losses)("%s while the session is idle: lost aborts, statements fail, nothing is thrown elsewhere", async ([, lose]) => {
  const server = await sharedServer(15);
  await using database = await createDatabase(server);
  await using proxy = await faultProxy({ targetPort: server.port, targetHost: server.host });
  await using session = await sessionTo(database, { host: proxy.host, port: proxy.port });
  await lose({ session, kill: (pid) => database.query("select pg_terminate_backend($1)", [pid]), cut: () => proxy.cut() });
  await waitFor(() => session.lost.aborted, { what: "the loss" });
  expect(session.lost.reason).toMatchObject({
    code: "connection-lost",
    details: { db: "db" },
    message: expect.stringContaining(`:${proxy.port}`),
  });
  await expect(answers(session)).rejects.toMatchObject({ code: "connection-lost" });
  await session.close();
});

test.for(losses)("%s while a statement runs: that statement fails as connection-lost", async ([, lose]) => {
  const server = await sharedServer(15);
  await using database = await createDatabase(server);
  await using proxy = await faultProxy({ targetPort: server.port, targetHost: server.host });
  await using session = await sessionTo(database, { host: proxy.host, port: proxy.port });
  const sleeping = session.query(sql("test.sleep", "select pg_sleep(100)"));
  const failed = expect(sleeping).rejects.toMatchObject({ code: "connection-lost" });
  await busy(database, session.backendPid);
  await lose({ session, kill: (pid) => database.query("select pg_terminate_backend($1)", [pid]), cut: () => proxy.cut() });
  await failed;
  await waitFor(() => session.lost.aborted, { what: "the loss" });
});

test("a session that we close is not lost, cannot be used, and may be closed again", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const { session } = given;
  await Promise.all([session.close(), session.close()]);
  expect(session.lost.aborted).toBe(false);
  await expect(answers(session)).rejects.toMatchObject({ code: "connection-lost" });
  await waitFor(
    async () => (await given.database.query("select from pg_stat_activity where pid = $1", [session.backendPid])).length === 0,
    { what: "the backend to end" },
  );
});

test("closing ends a statement that runs", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const sleeping = given.session.query(sql("test.sleep", "select pg_sleep(100)"));
  const failed = expect(sleeping).rejects.toMatchObject({ code: "connection-lost" });
  await busy(given.database, given.session.backendPid);
  await given.session.close();
  await failed;
});

test("closing does not wait for a server that stands still", async () => {
  await using server = await startServer({ major: 15 });
  const database = await createDatabase(server, { name: "still" });
  const session = await sessionTo(database);
  await database.closeClients();
  server.freeze();
  const began = performance.now();
  await session.close();
  expect(performance.now() - began).toBeLessThan(4000);
  server.thaw();
});

test("cancel ends the statement that runs, harms no later one, and ends in time when nobody answers", async () => {
  await using given = await openDatabase(await sharedServer(15));
  const { session } = given;
  for (let round = 0; round < 20; round++) {
    const sleeping = session.query(sql("test.sleep", "select pg_sleep(100)"));
    const ended = expect(sleeping).rejects.toMatchObject({ code: "interrupted", details: { sqlstate: "57014" } });
    await busy(given.database, session.backendPid);
    await cancelQuery(session);
    await ended;
    await cancelQuery(session); // nothing runs
    expect(await answers(session)).toBe(true);
  }
});

async function busy(database: { query(text: string, values: unknown[]): Promise<unknown[]> }, pid: number): Promise<void> {
  await waitFor(async () => (await database.query("select from pg_stat_activity where pid = $1 and state = 'active'", [pid])).length > 0, {
    what: "the statement to run",
  });
}
