import { expect } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { openRig } from "./rig.ts";

const MIB = 1024 * 1024;

/** One row of so many MiB in a text or bytea: it arrives, and this process has not grown with it. Gives the growth in MiB. */
export async function carryLargeRow(from: Major, to: Major, type: "text" | "bytea", mib: number): Promise<number> {
  await using rig = await openRig({ majors: [from, to], schema: `create table t (id int primary key, v ${type}, n int)`, tables: ["t"] });
  // Not compressible, and made on the server.
  const block = `(select string_agg(md5(i::text), '') from generate_series(1, ${MIB / 32}) i)`;
  const value = `repeat(${block}, ${mib})::${type}`;
  await rig.source.query(`alter table t alter v set storage external; insert into t values (0, 'x', 0), (2, 'y', 2)`);
  await rig.run();
  await rig.source.query(`insert into t values (1, ${value}, 1)`);
  const growth = await grows(async () => {
    expect((await rig.run()).bytes).toBeGreaterThan(mib * MIB);
  });
  const print = "select id, length(v)::int as length, md5(v) as hash, n from t order by id";
  expect(await rig.target.query(print)).toEqual(await rig.source.query(print));
  return growth;
}

/** How far the resident memory of this process rises above where it was, at most, in MiB. */
export async function grows(work: () => Promise<void>): Promise<number> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return (Math.max(most, process.memoryUsage.rss()) - before) / MIB;
}
