import { expect, test } from "vitest";
import { carryLargeRow, grows } from "./large-row.ts";
import { openRig } from "./rig.ts";

test.for([
  [10, 18, "text", 1],
  [10, 18, "text", 50],
  [10, 18, "text", 200],
  [18, 10, "text", 200],
  [12, 15, "text", 400],
  [10, 18, "bytea", 200],
  [18, 10, "bytea", 200],
  [12, 18, "bytea", 400],
] as const)("from %i to %i a %s of %i MiB crosses and this process does not grow", async ([from, to, type, mib]) => {
  expect(await carryLargeRow(from, to, type, mib)).toBeLessThan(64);
});

test.for([1, 10] as const)("%i million pending keys cross and this process does not grow", async (millions) => {
  await using rig = await openRig({ majors: [15, 18], schema: "create table t (id int primary key, v text)", tables: ["t"] });
  await rig.source.query(`insert into t select i, 'v' || i from generate_series(1, ${millions * 1_000_000}) i`);
  expect(await grows(async () => void (await rig.run()))).toBeLessThan(64);
  await rig.source.query("update t set v = v || '!'");
  expect(await grows(async () => void (await rig.run()))).toBeLessThan(64);
  expect(await rig.differences()).toEqual([]);
});
