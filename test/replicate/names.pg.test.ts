import { expect, test } from "vitest";
import { quoteIdent, quoteName } from "../../src/postgres/quote.ts";
import { openRig } from "./rig.ts";

const names = [
  "With Blank",
  "CamelCase",
  'quote"d',
  "it's",
  "back\\slash",
  "dot.ted",
  "ümlaut 漢字",
  "a".repeat(63),
  `${"é".repeat(31)}x`,
  "$bucardo$",
  "%I %s",
  "tab\tnew\nline",
  // words of SQL and of our own texts
  "select",
  "user",
  "all",
  "excluded",
  "new",
  "old",
  "xid",
  "gone",
  "k1",
  "c1",
  "t",
  "s",
  "d",
  "n",
  "o",
  "x",
  "tg_op",
  "found",
  "_bucardo_new",
  "_bucardo_old",
  "bucardo",
  "captured_table",
  "pg_class",
];

const schema = 'Odd "Schema".\\ é';

test.for([
  [10, 18],
  [18, 12],
] as const)("odd names of schemas, tables, and columns from %i to %i", async ([from, to]) => {
  const tables = names.map((name) => ({ table: { schema, name }, key: [name] }));
  const wide = { schema: "public", name: "wide" };
  const columns = names.map((name) => `${quoteIdent(name)} text not null default 'x'`).join(", ");
  await using rig = await openRig({
    majors: [from, to],
    schema: `create schema ${quoteIdent(schema)};
      ${tables.map(({ table }) => `create table ${quoteName(table)} (${quoteIdent(table.name)} int primary key, v text)`).join("; ")};
      create table wide (${columns}, primary key (${names.slice(0, 20).map(quoteIdent).join(", ")}))`,
    tables: [...tables, { table: wide, key: names.slice(0, 20) }],
  });
  const each = (text: (table: string, column: string) => string) =>
    rig.source.query(tables.map(({ table }) => text(quoteName(table), quoteIdent(table.name))).join("; "));

  await each((table) => `insert into ${table} values (1, 'one'), (2, 'two'), (3, 'three')`);
  await rig.source.query(`insert into wide (${quoteIdent(names[0]!)}) values ('first'), ('second'), ('third')`);
  await rig.run();
  expect(await rig.differences()).toEqual([]);

  await each(
    (table, column) => `update ${table} set ${column} = ${column} + 10 where ${column} = 1; delete from ${table} where ${column} = 2`,
  );
  await rig.source
    .query(`update wide set ${names.map((name) => `${quoteIdent(name)} = 'moved'`).join(", ")} where ${quoteIdent(names[0]!)} = 'first';
    delete from wide where ${quoteIdent(names[0]!)} = 'second'`);
  await rig.run();
  expect(await rig.differences()).toEqual([]);

  await each((table) => `truncate ${table}; insert into ${table} values (7, 'after')`);
  const { tables: changed } = await rig.run();
  expect(new Set(changed.map(({ table }) => table))).toHaveLength(names.length);
  expect(await rig.differences()).toEqual([]);
});

test("names that are the same when joined by an underscore or a dot stay apart", async () => {
  const tables = [
    { schema: "a", name: "b_c" },
    { schema: "a_b", name: "c" },
    { schema: "a", name: "b.c" },
    { schema: "a.b", name: "c" },
  ];
  await using rig = await openRig({
    schema: `create schema a; create schema a_b; create schema "a.b";
      ${tables.map((table, index) => `create table ${quoteName(table)} (id int primary key, v${index} text)`).join("; ")}`,
    tables: tables.map((table) => ({ table, key: ["id"] })),
  });
  for (const [index, table] of tables.entries()) {
    await rig.source.query(`insert into ${quoteName(table)} values (${index}, 'row of ${index}')`);
    expect((await rig.run()).tables).toHaveLength(1);
    expect(await rig.differences()).toEqual([]);
  }
  await rig.source.query(tables.map((table) => `update ${quoteName(table)} set id = id + 10`).join("; "));
  expect(new Set((await rig.run()).tables.map(({ table }) => table))).toHaveLength(tables.length);
  expect(await rig.differences()).toEqual([]);
});
