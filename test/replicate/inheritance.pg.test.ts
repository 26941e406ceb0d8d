import { expect, test } from "vitest";
import { openRig } from "./rig.ts";

const family = `
  create table parent (id int primary key, v text);
  create table child (extra int default 1, primary key (id)) inherits (parent);
  create table grandchild (more text default 'm', primary key (id)) inherits (child);
  create table other (o text, primary key (id)) inherits (parent)`;

const writes = [
  "insert into parent select i, 'parent' from generate_series(1, 9) i; insert into child select i, 'child' from generate_series(11, 19) i; insert into grandchild select i, 'grand' from generate_series(21, 29) i; insert into other values (31, 'other', 'o')",
  // statements that name the parent and change rows of all
  "update parent set v = v || '!' where id % 2 = 0",
  "update parent set id = id + 100 where id in (1, 11, 21, 31)",
  "delete from parent where id in (3, 13, 23)",
  "update only parent set v = 'only'; delete from only child where id = 15; update child set extra = 5",
  // the same key in parent and child is two rows
  "insert into child values (5, 'same key'); update parent set v = 'both' where id = 5; delete from only parent where id = 5",
  "begin; insert into parent values (50, 'before'); truncate only parent; insert into parent values (51, 'after'); commit",
  "truncate child; insert into grandchild values (60, 'after')",
  "truncate parent; insert into parent values (70, 'p'); insert into other values (71, 'x', 'y')",
];

test.for([
  [10, 18],
  [18, 12],
] as const)("parents and children are each replicated for themselves, from %i to %i", async ([from, to]) => {
  await using rig = await openRig({ majors: [from, to], schema: family, tables: ["parent", "child", "grandchild", "other"] });
  for (const text of writes) {
    await rig.source.query(text);
    await rig.run();
    expect({ text, differences: await rig.differences() }).toEqual({ text, differences: [] });
  }
  await rig.run({ onetimecopy: 1 });
  expect(await rig.differences()).toEqual([]);
});

test("a parent alone carries its own rows, and never touches those of the target's children", async () => {
  await using rig = await openRig({ majors: [15, 15], schema: family, tables: ["parent"] });
  await rig.target.query("insert into child values (5, 'of the target'), (7, 'of the target')");
  for (const text of writes) {
    await rig.source.query(text);
    await rig.run();
    expect({ text, rows: await rig.target.query("select * from only parent order by id") }).toEqual({
      text,
      rows: await rig.source.query("select * from only parent order by id"),
    });
  }
  await rig.run({ onetimecopy: 1 });
  expect(await rig.target.query("select id, v from child order by id")).toEqual([
    { id: 5, v: "of the target" },
    { id: 7, v: "of the target" },
  ]);
});

test("a parent that is empty but for its children is copied when empty tables are wanted", async () => {
  await using rig = await openRig({ majors: [15, 18], schema: family, tables: ["child", "parent"], capture: false });
  await rig.source.query("insert into parent values (1, 'before'); insert into child values (2, 'before')");
  await rig.target.query("insert into child values (2, 'before', 1)");
  await rig.capture();
  expect((await rig.run({ onetimecopy: 2 })).tables).toMatchObject([{ table: "public.parent", refilled: true }]);
  expect(await rig.differences()).toEqual([]);
});

test("a captured table that becomes a child goes on being followed", async () => {
  await using rig = await openRig({
    majors: [18, 15],
    schema: "create table parent (id int, v text); create table child (id int primary key, v text)",
    tables: ["child"],
  });
  await rig.source.query("insert into child values (1, 'alone'), (2, 'alone')");
  await rig.run();
  await rig.source.query("alter table child inherit parent; update parent set v = 'by the parent' where id = 1");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query("update parent set v = 'again' where id = 2");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});
