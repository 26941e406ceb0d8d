import { expect } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { casesFor, type KeyCase } from "./key-case.ts";
import { openRig } from "./rig.ts";

/** One table per type of key, and one whose key is made of many: rows come, change, change their keys, go. */
export async function replicateEveryKey(from: Major, to: Major): Promise<void> {
  const cases = casesFor(from, to);
  const tables = [...cases.map(({ name }) => `key_${name}`), "mixed"];
  const schema = [
    ...cases.flatMap(({ setup }) => setup ?? []),
    ...cases.map(({ name, type }) => `create table key_${name} (k ${type} primary key, v int not null)`),
    `create table mixed (a text, v int, b uuid, c timestamptz, d "Odd Ext".citext, e numeric, f mood, primary key (d, a, e, f, c, b))`,
  ].join(";\n");
  await using rig = await openRig({
    majors: [from, to],
    schema,
    targetSchema: schema.replaceAll("Odd Ext", "elsewhere"),
    tables,
  });
  const follow = async (text: string) => {
    await rig.source.query(text);
    const { tables: changed } = await rig.run();
    expect(changed.map(({ table, refilled }) => ({ table, refilled }))).toEqual(
      tables.map((table) => ({ table: `public.${table}`, refilled: false })),
    );
    expect(await rig.differences()).toEqual([]);
  };
  await follow(`${cases.map(insertAllButLast).join(";\n")}; ${insertMixed}`);
  await follow(`${cases.map(change).join(";\n")}; ${changeMixed}`);
  const again = cases.map(({ name, values }) => `delete from key_${name}; insert into key_${name} values (${values[0]}, -1)`);
  await follow(`${again.join(";\n")}; delete from mixed where v % 2 = 0; ${insertMixed} on conflict do nothing`);
  expect((await rig.run()).outcome).toBe("empty");
}

const insertMixed = `insert into mixed select 'it''s ' || i, i, md5(i::text)::uuid, '2024-01-01'::timestamptz + i * interval '1 us', E'Back\\\\' || i, i / 8.0, 'Happy' from generate_series(1, 40) i`;

const changeMixed =
  "update mixed set d = upper(d::text), e = e + 0.000 where v < 10; update mixed set a = a || E'\\t', f = ',' where v between 10 and 20; update mixed set v = -v where v > 30; delete from mixed where v = 25";

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
