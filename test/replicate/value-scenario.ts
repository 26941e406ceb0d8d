import { expect } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { openRig } from "./rig.ts";
import { userTypes, valueCases, type ValueCase } from "./value-case.ts";

const ROWS = 10;

/** One table of types that cross as binary and one of all the others: rows come, change from and to NULL, and are copied whole. */
export async function replicateEveryValue(from: Major, to: Major, home: string): Promise<void> {
  const since = Math.min(from, to);
  const cases = valueCases.filter((each) => (each.since ?? 0) <= since);
  const tables = { as_binary: cases.filter(({ binary }) => binary), as_text: cases.filter(({ binary }) => !binary) };
  const schema = (schemaOfExtensions: string) =>
    [
      userTypes(schemaOfExtensions),
      since >= 11 ? "create type tree as (m mood, p percent)" : "select 1",
      ...Object.entries(tables).map(([table, parts]) => {
        const columns = parts.map(({ type }, index) => `v${index} ${type.replace("Odd Ext", schemaOfExtensions)}`);
        return `create table ${table} (id int primary key, ${columns.join(", ")})`;
      }),
    ].join(";\n");
  await using rig = await openRig({
    majors: [from, to],
    schema: schema("Odd Ext"),
    targetSchema: schema(home),
    tables: Object.keys(tables),
  });

  for (const [table, parts] of Object.entries(tables)) {
    for (let id = 0; id < ROWS; id++) await rig.source.query(`insert into ${table} values (${id}, ${rowOf(parts, id)})`);
  }
  await rig.run();
  expect(await rig.differences()).toEqual([]);

  for (const [table, parts] of Object.entries(tables)) {
    for (let id = 0; id < ROWS; id++) {
      await rig.source.query(
        `update ${table} set (${parts.map((_, index) => `v${index}`).join(", ")}) = row(${rowOf(parts, id + 1)}) where id = ${id}`,
      );
    }
  }
  expect((await rig.run()).tables).toMatchObject([
    { upserted: ROWS, refilled: false },
    { upserted: ROWS, refilled: false },
  ]);
  expect(await rig.differences()).toEqual([]);

  await rig.target.query("delete from as_binary; delete from as_text");
  expect((await rig.run({ onetimecopy: 1 })).tables).toMatchObject([{ refilled: true }, { refilled: true }]);
  expect(await rig.differences()).toEqual([]);
}

/** Each column runs through its values and NULL at its own pace. */
function rowOf(cases: readonly ValueCase[], id: number): string {
  return cases.map(({ values }) => [...values, "null"][id % (values.length + 1)]).join(", ");
}
