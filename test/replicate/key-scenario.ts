import { expect } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { casesFor, type KeyCase } from "./key-case.ts";
import { openRig } from "./rig.ts";

/** One table per type of key: rows come, change, change their keys, go. */
export async function replicateEveryKey(from: Major, to: Major): Promise<void> {
  const cases = casesFor(from, to);
  const tables = cases.map(({ name }) => `key_${name}`);
  await using rig = await openRig({
    majors: [from, to],
    schema: [
      ...cases.flatMap(({ setup }) => setup ?? []),
      ...cases.map(({ name, type }) => `create table key_${name} (k ${type} primary key, v int not null)`),
    ].join(";\n"),
    tables,
  });

  await rig.source.query(cases.map(insertAllButLast).join(";\n"));
  expect((await rig.run()).tables).toHaveLength(tables.length);
  expect(await rig.differences()).toEqual([]);

  await rig.source.query(cases.map(change).join(";\n"));
  const { tables: changed } = await rig.run();
  expect(changed.filter((table) => table.refilled)).toEqual([]);
  expect(await rig.differences()).toEqual([]);

  await rig.source.query(
    cases.map(({ name, values }) => `delete from key_${name}; insert into key_${name} values (${values[0]}, -1)`).join(";\n"),
  );
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  expect((await rig.run()).outcome).toBe("empty");
}

function insertAllButLast({ name, values }: KeyCase): string {
  const rows = values.slice(0, -1).map((value, index) => `(${value}, ${index})`);
  return `insert into key_${name} values ${rows.join(", ")}`;
}

/** v finds the row: the first gets another look, the next is updated, one is deleted, and one changes its key. */
function change({ name, values, lookalike }: KeyCase): string {
  const moved = values.length - 2;
  return [
    ...(lookalike === undefined ? [] : [`update key_${name} set k = ${lookalike} where v = 0`]),
    `update key_${name} set k = ${values.at(-1)} where v = ${moved}`,
    ...(moved > 1 ? [`delete from key_${name} where v = 1`] : []),
    `update key_${name} set v = v + 100 where v = 0`,
  ].join("; ");
}
