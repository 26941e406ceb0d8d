import { expect, test } from "vitest";
import { copyBetween } from "../../src/postgres/copy.ts";
import type { Session } from "../../src/postgres/session.ts";
import { sql } from "../../src/postgres/sql.ts";
import { rollbackQuietly } from "../../src/postgres/transaction.ts";
import { faultProxy } from "../harness/fault-proxy.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { answers, openDatabase, sessionTo } from "./rig.ts";

const big = 30_000_000; // bytes of one row: much more than all buffers between the two servers

async function begin(...sessions: Session[]): Promise<void> {
  for (const session of sessions) await session.execute(sql("test.begin", "begin isolation level repeatable read"));
}

/** Both open transactions were spoilt or not, but both connections live: after a rollback they answer. */
async function usable(...sessions: Session[]): Promise<void> {
  for (const session of sessions) {
    await rollbackQuietly(session);
    expect(await answers(session)).toBe(true);
    expect(session.lost.aborted).toBe(false);
  }
}

async function pair(tableText: string) {
  const server = await sharedServer(15);
  const source = await openDatabase(server);
  const target = await openDatabase(server);
  await target.session.script(sql("test.shape", tableText));
  return {
    source,
    target,
    copy: (
      query: string,
      more: { signal?: AbortSignal; giveUpMs?: number; onBytes?: (total: number) => void; from?: Session; to?: Session } = {},
    ) =>
      copyBetween({
        from: source.session,
        fromText: sql("test.out", `copy (${query}) to stdout`),
        to: target.session,
        toText: sql("test.in", "copy public.t from stdin"),
        table: "public.t",
        ...more,
      }),
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}

test("an error of the source in the middle is the one reported", async () => {
  await using given = await pair("create table public.t (a int, b text)");
  await begin(given.source.session, given.target.session);
  const failing = given.copy("select 1 / (50000 - g), repeat('x', 100) from generate_series(1, 100000) g");
  await expect(failing).rejects.toMatchObject({ code: "data-rejected", details: { sqlstate: "22012", table: "public.t", db: "db" } });
  await usable(given.source.session, given.target.session);
});

test("an error of the source before its first row", async () => {
  await using given = await pair("create table public.t (a int)");
  await expect(given.copy("select a from public.missing")).rejects.toMatchObject({
    code: "schema-mismatch",
    details: { sqlstate: "42P01" },
  });
  await usable(given.source.session, given.target.session);
});

test("an error of the target before it takes data leaves the source's transaction whole", async () => {
  await using given = await pair("create table public.other (a int)");
  await begin(given.source.session);
  await expect(given.copy("select 1")).rejects.toMatchObject({ details: { sqlstate: "42P01" } });
  expect(await answers(given.source.session)).toBe(true);
  await usable(given.source.session, given.target.session);
});

test("an error of the target in the middle of many rows ends the source's query", async () => {
  await using given = await pair("create table public.t (a int check (a < 5000), b text)");
  await begin(given.source.session, given.target.session);
  const endless = "select generate_series(1, 2000000000), repeat('x', 100)";
  await expect(given.copy(endless)).rejects.toMatchObject({
    code: "data-rejected",
    message: expect.stringContaining("t_a_check"),
    details: { sqlstate: "23514" },
  });
  await usable(given.source.session, given.target.session);
});

test("an error of the target in the middle of a message: the message is completed, both sides stay in step", async () => {
  await using given = await pair("create table public.t (a int check (a <> 2), b text)");
  await begin(given.source.session, given.target.session);
  await expect(given.copy(`select generate_series(1, 20), repeat('x', ${big})`)).rejects.toMatchObject({ details: { sqlstate: "23514" } });
  await usable(given.source.session, given.target.session);
});

test("an error of the target at its end", async () => {
  await using given = await pair("create table public.t (a int primary key deferrable initially immediate)");
  await expect(given.copy("select g % 1000 from generate_series(1, 1001) g")).rejects.toMatchObject({ details: { sqlstate: "23505" } });
  await usable(given.source.session, given.target.session);
});

test("the signal ends a copy between rows", async () => {
  await using given = await pair("create table public.t (a int, b text)");
  await begin(given.source.session, given.target.session);
  const stop = new AbortController();
  const endless = "select generate_series(1, 2000000000), repeat('x', 100)";
  const copying = given.copy(endless, { signal: stop.signal, onBytes: (total) => total > 5_000_000 && stop.abort() });
  await expect(copying).rejects.toMatchObject({ code: "interrupted" });
  await usable(given.source.session, given.target.session);
  expect(await given.target.session.one(sql("test.count", "select count(*) as n from public.t"))).toEqual({ n: 0 });
});

test("the signal ends a copy within a row", async () => {
  await using given = await pair("create table public.t (a int, b text)");
  await begin(given.source.session, given.target.session);
  const stop = new AbortController();
  const copying = given.copy(`select 1, repeat('x', ${big})`, {
    signal: stop.signal,
    onBytes: (total) => total > 1_000_000 && stop.abort(),
  });
  await expect(copying).rejects.toMatchObject({ code: "interrupted" });
  await usable(given.source.session, given.target.session);
});

test("the signal ends the wait for a lock of the target, before its COPY has begun", async () => {
  await using given = await pair("create table public.t (a int)");
  await using other = await sessionTo(given.target.database);
  await begin(other);
  await other.execute(sql("test.lock", "lock table public.t in access exclusive mode"));
  const stop = new AbortController();
  const copying = given.copy("select 1", { signal: stop.signal });
  copying.catch(() => undefined);
  await waiting(other, given.target.session.backendPid);
  stop.abort();
  await expect(copying).rejects.toMatchObject({ code: "interrupted" });
  await usable(given.source.session, given.target.session);
});

test("the signal ends a target that waits for another transaction within its COPY", async () => {
  await using given = await pair("create table public.t (a int primary key)");
  await using other = await sessionTo(given.target.database);
  await begin(other, given.target.session);
  await other.execute(sql("test.block", "insert into public.t values (1)"));
  const stop = new AbortController();
  const copying = given.copy("select g from generate_series(1, 1000) g", { signal: stop.signal });
  copying.catch(() => undefined);
  await waiting(other, given.target.session.backendPid);
  stop.abort();
  await expect(copying).rejects.toMatchObject({ code: "interrupted" });
  await usable(given.source.session, given.target.session);
});

test("a signal that has aborted already starts nothing", async () => {
  await using given = await pair("create table public.t (a int)");
  await expect(given.copy("select 1", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "interrupted" });
  await usable(given.source.session, given.target.session);
});

test("a reason of ours is thrown as it is", async () => {
  await using given = await pair("create table public.t (a int)");
  const { BucardoError } = await import("../../src/model/error.ts");
  const reason = new BucardoError("quota", "no more room");
  await expect(given.copy("select 1", { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
    code: "quota",
    message: "no more room",
  });
});

test("a terminated source backend is a lost connection, and the target stays usable", async () => {
  await using given = await pair("create table public.t (a int, b text)");
  await using other = await sessionTo(given.source.database);
  await begin(given.source.session, given.target.session);
  let killed: Promise<unknown> | undefined;
  const onBytes = (total: number) => {
    if (total > 1_000_000) killed ??= other.query(sql("test.kill", "select pg_terminate_backend($1)", [given.source.session.backendPid]));
  };
  const endless = "select generate_series(1, 2000000000), repeat('x', 100)";
  await expect(given.copy(endless, { onBytes })).rejects.toMatchObject({ code: "connection-lost" });
  await killed;
  await waitFor(() => given.source.session.lost.aborted, { what: "the loss to be noticed" });
  await expect(answers(given.source.session)).rejects.toMatchObject({ code: "connection-lost" });
  await usable(given.target.session);
});

test("a source whose network breaks within a row: the target gets the rest as zeros, refuses the copy and stays usable", async () => {
  await using given = await pair("create table public.t (a int, b text)");
  await using proxy = await faultProxy({ targetHost: given.source.database.server.host, targetPort: given.source.database.server.port });
  await using far = await sessionTo(given.source.database, { host: proxy.host, port: proxy.port });
  await begin(given.target.session);
  proxy.cutAfter("toClient", 10_000_000);
  await expect(given.copy(`select 1, repeat('x', ${big})`, { from: far })).rejects.toMatchObject({ code: "connection-lost" });
  await waitFor(() => far.lost.aborted, { what: "the loss to be noticed" });
  await usable(given.target.session);
  expect(await given.target.session.one(sql("test.count", "select count(*) as n from public.t"))).toEqual({ n: 0 });
});

test("a target whose network breaks: the source's query is cancelled and the source stays usable", async () => {
  await using given = await pair("create table public.t (a int, b text)");
  await using proxy = await faultProxy({ targetHost: given.target.database.server.host, targetPort: given.target.database.server.port });
  await using far = await sessionTo(given.target.database, { host: proxy.host, port: proxy.port });
  await begin(given.source.session);
  proxy.cutAfter("toServer", 10_000_000);
  const endless = `select generate_series(1, 1000000), repeat('x', ${big})`;
  await expect(given.copy(endless, { to: far })).rejects.toMatchObject({ code: "connection-lost" });
  await usable(given.source.session);
});

test("a target that has fallen silent is cut off after a failure, and the source stays usable", async () => {
  await using given = await pair("create table public.t (a int, b text)");
  await using proxy = await faultProxy({ targetHost: given.target.database.server.host, targetPort: given.target.database.server.port });
  await using far = await sessionTo(given.target.database, { host: proxy.host, port: proxy.port });
  const stop = new AbortController();
  const onBytes = (total: number) => {
    if (total < 5_000_000) return;
    proxy.stall();
    stop.abort();
  };
  const copying = given.copy(`select 1, repeat('x', ${big})`, { to: far, signal: stop.signal, onBytes, giveUpMs: 1000 });
  await expect(copying).rejects.toMatchObject({ code: "interrupted" });
  await usable(given.source.session);
  expect(far.lost.aborted).toBe(true);
});

test("a source that has fallen silent is cut off after a failure, and the target stays usable", async () => {
  await using given = await pair("create table public.t (a int, b text)");
  await using proxy = await faultProxy({ targetHost: given.source.database.server.host, targetPort: given.source.database.server.port });
  await using far = await sessionTo(given.source.database, { host: proxy.host, port: proxy.port });
  const stop = new AbortController();
  const onBytes = (total: number) => {
    if (total < 5_000_000) return;
    proxy.stall();
    stop.abort();
  };
  const copying = given.copy(`select 1, repeat('x', ${big})`, { from: far, signal: stop.signal, onBytes, giveUpMs: 1000 });
  await expect(copying).rejects.toMatchObject({ code: "interrupted" });
  await usable(given.target.session);
  expect(far.lost.aborted).toBe(true);
});

test("the source's connection is closed by its owner", async () => {
  await using given = await pair("create table public.t (a int, b text)");
  let closing: Promise<void> | undefined;
  const onBytes = (total: number) => {
    if (total > 1_000_000) closing ??= given.source.session.close();
  };
  const endless = "select generate_series(1, 2000000000), repeat('x', 100)";
  // Closing cancels first what still runs; whichever of the two the copy hears of.
  await expect(given.copy(endless, { onBytes })).rejects.toMatchObject({
    code: expect.stringMatching(/^(connection-lost|interrupted)$/) as string,
  });
  await closing;
  await usable(given.target.session);
});

test("an exception of the caller's listener ends the copy", async () => {
  await using given = await pair("create table public.t (a int)");
  const onBytes = () => {
    throw new Error("listener");
  };
  await expect(given.copy("select g from generate_series(1, 100000) g", { onBytes })).rejects.toThrow("listener");
  await usable(given.source.session, given.target.session);
});

async function waiting(observer: Session, pid: number): Promise<void> {
  await waitFor(
    async () =>
      (await observer.one<{ n: number }>(sql("test.waits", "select count(*) as n from pg_locks where pid = $1 and not granted", [pid]))).n >
      0,
    { what: "the target to wait for a lock" },
  );
}
