import { expect, test } from "vitest";
import { copyBetween } from "../../src/postgres/copy.ts";
import { sql } from "../../src/postgres/sql.ts";
import { faultProxy } from "../harness/fault-proxy.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { openDatabase, sessionTo } from "./rig.ts";

const mega = 1024 * 1024;

/** How much more memory the process has at its peak while the work goes on. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
  await work().finally(() => clearInterval(watch));
  return (peak - before) / mega;
}

test("a row of 300 MB passes without being held", async () => {
  const server = await sharedServer(15);
  await using source = await openDatabase(server);
  await using target = await openDatabase(server);
  await target.session.script(
    sql("test.shape", "create unlogged table public.t (a text); alter table public.t alter a set storage external"),
  );
  const copy = (bytes: number, format: string) =>
    copyBetween({
      from: source.session,
      fromText: sql("test.out", `copy (select repeat('x', ${bytes})) to stdout (format ${format})`),
      to: target.session,
      toText: sql("test.in", `copy public.t from stdin (format ${format})`),
    });
  await copy(5_000_000, "text"); // code and buffers that stay
  expect(await growth(async () => expect(await copy(300_000_000, "text")).toMatchObject({ rows: 1 }))).toBeLessThan(70);
  expect(await growth(async () => expect(await copy(150_000_000, "binary")).toMatchObject({ rows: 1 }))).toBeLessThan(70);
  expect(await target.session.one(sql("test.size", "select max(octet_length(a)) as n from public.t"))).toEqual({ n: 300_000_000 });
}, 120_000);

test("a slow target holds the source back, and the bytes do not pile up here", async () => {
  const server = await sharedServer(15);
  await using source = await openDatabase(server);
  await using target = await openDatabase(server);
  await using proxy = await faultProxy({ targetHost: server.host, targetPort: server.port });
  await using far = await sessionTo(target.database, { host: proxy.host, port: proxy.port });
  await target.session.script(sql("test.shape", "create unlogged table public.t (a int, b text)"));
  proxy.slow(20 * mega);
  const stop = new AbortController();
  let arrived = 0;
  const copying = copyBetween({
    from: source.session,
    fromText: sql("test.out", "copy (select generate_series(1, 2000000000), repeat('x', 1000)) to stdout"),
    to: far,
    toText: sql("test.in", "copy public.t from stdin"),
    signal: stop.signal,
    onBytes: (total) => {
      arrived = total;
      if (proxy.passed.toServer > 30 * mega) stop.abort();
    },
  });
  await expect(copying).rejects.toMatchObject({ code: "interrupted" });
  expect(arrived).toBeGreaterThan(20 * mega);
  expect(arrived - proxy.passed.toServer).toBeLessThan(40 * mega);
});
