import { expect, test } from "vitest";
import { copyOut } from "../../src/postgres/copy-out.ts";
import { sql } from "../../src/postgres/sql.ts";
import { rollbackQuietly } from "../../src/postgres/transaction.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { answers, openDatabase } from "./rig.ts";

const ENDLESS = sql("test.out", "copy (select generate_series(1, 2000000000), repeat('x', 100)) to stdout");

test("all rows come, in order and as COPY writes them, however slowly they are taken", async () => {
  await using source = await openDatabase(await sharedServer(15));
  const parts: Buffer[] = [];
  const told: number[] = [];
  const result = await copyOut({
    from: source.session,
    fromText: sql("test.out", "copy (select g, E'a\\tb', null from generate_series(1, 200000) g) to stdout"),
    take: async (bytes) => {
      await new Promise((resolve) => setImmediate(resolve));
      parts.push(bytes);
    },
    onBytes: (bytes) => told.push(bytes),
  });
  const lines = Buffer.concat(parts).toString().split("\n");
  expect(lines.pop()).toBe("");
  expect(lines).toHaveLength(200_000);
  expect(lines.every((line, index) => line === `${index + 1}\ta\\tb\t\\N`)).toBe(true);
  expect(result).toEqual({ rows: 200_000, bytes: Buffer.concat(parts).length });
  expect(told.at(-1)).toBe(result.bytes);
  expect(
    await copyOut({ from: source.session, fromText: sql("test.out", "copy (select 1 where false) to stdout"), take: async () => {} }),
  ).toEqual({
    rows: 0,
    bytes: 0,
  });
  expect(await answers(source.session)).toBe(true);
});

test.each([
  ["whoever takes refuses", "full"],
  ["the signal", "stop"],
])("%s ends it, and the session can be used", async (_what, word) => {
  await using source = await openDatabase(await sharedServer(15));
  const stop = new AbortController();
  let taken = 0;
  const take = async (bytes: Buffer): Promise<void> => {
    taken += bytes.length;
    if (taken < 1_000_000) return;
    if (word === "full") throw new Error("the disk is full");
    stop.abort();
  };
  await source.session.execute(sql("test.begin", "begin"));
  await expect(copyOut({ from: source.session, fromText: ENDLESS, take, signal: stop.signal })).rejects.toMatchObject(
    word === "full" ? { message: "the disk is full" } : { code: "interrupted" },
  );
  await rollbackQuietly(source.session);
  expect(await answers(source.session)).toBe(true);
});

test("an error of the server, before the first row and after many", async () => {
  await using source = await openDatabase(await sharedServer(15));
  const take = async (): Promise<void> => {};
  const out = (text: string) =>
    copyOut({ from: source.session, fromText: sql("test.out", `copy (${text}) to stdout`), take, table: "public.t" });
  await expect(out("select * from public.missing")).rejects.toMatchObject({ code: "schema-mismatch", details: { sqlstate: "42P01" } });
  await expect(out("select 1 / (100000 - g) from generate_series(1, 200000) g")).rejects.toMatchObject({ details: { sqlstate: "22012" } });
  expect(await answers(source.session)).toBe(true);
});
