import { expect, test } from "vitest";
import { openStar } from "./star.ts";

const SCHEMA = `create table person (id integer primary key, email text unique);
create table item (id integer primary key, person integer references person)`;

test.each([
  { strategy: "A,B", people: ["1 x", "2 y"], items: [1] },
  { strategy: "B,A", people: ["2 x"], items: [] },
])(
  "a row that stays for what refers to it meets the one that took over its unique value: $strategy",
  async ({ strategy, people, items }) => {
    await using star = await openStar({
      schema: SCHEMA,
      tables: ["person", "item"],
      members: { A: 15, B: 18 },
      exchange: { strategy, foreignKeys: "restore" },
    });
    await star.of("A").query("insert into person values (1, 'x'), (2, 'y')");
    await star.drain();
    await star.of("B").query("delete from person where id = 1; update person set email = 'x' where id = 2");
    await star.of("A").query("insert into item values (1, 1)");
    await star.drain();
    expect(await star.differences()).toEqual([]);
    expect((await star.rows("A", "select id || ' ' || email as person from person order by id")).map(({ person }) => person)).toEqual(
      people,
    );
    expect((await star.rows("A", "select id from item")).map(({ id }) => id)).toEqual(items);
  },
);

test("a loser whose older version meets another row is decided about again, and goes when no version of it can stay", async () => {
  await using star = await openStar({
    schema: SCHEMA,
    tables: ["person", "item"],
    members: { A: 15, B: 18 },
    exchange: { strategy: "bucardo_latest" },
  });
  await star.of("A").query("insert into person values (2, 'old')");
  await star.drain();
  // On A 2 leaves its value to 3; B takes the new value of 2 for 1, later.
  await star.of("A").query("update person set email = 'new' where id = 2; insert into person values (3, 'old')");
  await star.of("B").query("insert into person values (1, 'new')");
  await star.drain();
  expect(await star.differences()).toEqual([]);
  expect(await star.rows("A", "select id, email from person order by id")).toEqual([
    { id: 1, email: "new" },
    { id: 3, email: "old" },
  ]);
});

test("a row that one of several sources refuses is named", async () => {
  await using star = await openStar({ schema: SCHEMA, tables: ["person", "item"], members: { A: 15, B: 18 } });
  await star.of("A").query("alter table person add check (email <> 'bad')");
  await star.of("B").query("insert into person values (1, 'good'), (7, 'bad')");
  await expect(star.run("B", "A")).rejects.toMatchObject({
    details: { table: "public.person", sqlstate: "23514", key: expect.stringContaining("7") },
  });
});

test("what refers to what goes, goes with it, however deep", async () => {
  await using star = await openStar({
    schema: `${SCHEMA}; create table note (id integer primary key, item integer references item, above integer references note)`,
    tables: ["person", "item", "note"],
    members: { A: 15, B: 18 },
    exchange: { foreignKeys: "delete" },
  });
  await star
    .of("A")
    .query("insert into person values (1, 'x'), (2, 'y'); insert into item values (2, 2); insert into note values (9, 2, null)");
  await star.drain();
  await star.of("B").query("delete from person where id = 1");
  await star.of("A").query("insert into item values (1, 1); insert into note values (1, 1, null), (2, null, 1), (3, 2, 2), (4, 2, 9)");
  await star.drain();
  expect(await star.differences()).toEqual([]);
  expect(await star.rows("A", "select id from item union all select id from note order by 1")).toEqual([{ id: 2 }, { id: 4 }, { id: 9 }]);
});
