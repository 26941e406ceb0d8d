import { expect, test } from "vitest";
import { openRig, type Rig, type RigOptions } from "./rig.ts";

const PERSON = "create table person (id int primary key, mail text, age int)";

/** The target refuses people without an age. */
async function rigOf(options: Partial<RigOptions> = {}): Promise<Rig> {
  const rig = await openRig({ schema: PERSON, tables: ["person"], strict: false, onError: "set_aside", ...options });
  await rig.target.query("alter table person add constraint grown_up check (age >= 18)");
  return rig;
}

async function keys(rig: Rig): Promise<string[]> {
  const rows = await rig.source.query("select array_to_string(key, ',') as key from bucardo.set_aside where kind = 'refused' order by id");
  return rows.map((row) => String(row["key"]));
}

async function people(rig: Rig): Promise<string> {
  const rows = await rig.target.query("select string_agg(id || ':' || age, ' ' order by id) as all from person");
  return String(rows[0]?.["all"]);
}

test("the row that a set-aside one was stays as it was, and the next change of the row settles it", async () => {
  await using rig = await rigOf();
  await rig.source.query("insert into person values (1, 'a', 20), (2, 'b', 21), (3, 'c', 22)");
  await rig.run();
  await rig.source.query("update person set age = age - 15 where id = 2; update person set mail = 'x' where id = 3");
  await rig.run();
  expect(await keys(rig)).toEqual(["2"]);
  expect(await people(rig)).toBe("1:20 2:21 3:22");
  await rig.source.query("update person set age = 7 where id = 2");
  await rig.run();
  expect(await keys(rig)).toEqual(["2"]);
  expect(await rig.source.query("select image->>'age' as age, run::int from bucardo.set_aside")).toEqual([{ age: "7", run: 3 }]);
  await rig.source.query("update person set age = 70 where id = 2");
  expect((await rig.run()).setAside).toBe(0);
  expect(await keys(rig)).toEqual([]);
  expect(await rig.differences()).toEqual([]);
});

test("a row that was set aside and is gone on the source goes from the target too, and is forgotten", async () => {
  await using rig = await rigOf();
  await rig.source.query("insert into person values (1, 'a', 20), (2, 'b', 2)");
  await rig.target.query("insert into person values (2, 'older', 40)");
  await rig.run();
  expect(await keys(rig)).toEqual(["2"]);
  expect(await people(rig)).toBe("1:20 2:40");
  await rig.source.query("delete from person where id = 2");
  await rig.run();
  expect(await keys(rig)).toEqual([]);
  expect(await rig.differences()).toEqual([]);
});

test("a replay carries the row of now, also one that is gone, and nothing else", async () => {
  await using rig = await rigOf();
  await rig.source.query("insert into person values (1, 'a', 2), (2, 'b', 3), (3, 'c', 4)");
  await rig.run();
  expect(await keys(rig)).toEqual(["1", "2", "3"]);
  await rig.target.query("alter table person drop constraint grown_up");
  await rig.source.query("update bucardo.set_aside set replay = true where key[1] <> '3'");
  const result = await rig.run();
  expect(result.tables).toMatchObject([{ upserted: 2, deleted: 0 }]);
  expect(result.setAside).toBe(1);
  expect(await people(rig)).toBe("1:2 2:3");
  expect((await rig.run()).outcome).toBe("empty");
});

test("what is refused again stays set aside, once", async () => {
  await using rig = await rigOf();
  await rig.source.query("insert into person values (1, 'a', 2)");
  await rig.run();
  await rig.source.query("update bucardo.set_aside set replay = true");
  expect((await rig.run()).setAside).toBe(1);
  expect(await keys(rig)).toEqual(["1"]);
  expect((await rig.run()).outcome).toBe("empty");
});

test("keys that trade places with a row that cannot be written: the value stays where it was, and all of them settle in the end", async () => {
  await using rig = await rigOf({ schema: "create table person (id int primary key, mail text unique, age int)" });
  await rig.source.query("insert into person values (1, 'a', 20), (2, 'b', 20), (3, 'c', 20)");
  await rig.run();
  // 1 becomes too young, and 2 takes the value that 1 keeps on the target.
  await rig.source.query(
    "update person set age = 1, mail = 'z' where id = 1; update person set mail = 'a' where id = 2; update person set mail = 'b' where id = 3",
  );
  const result = await rig.run();
  expect(result.setAside).toBe((await keys(rig)).length);
  expect(await keys(rig)).toContain("1");
  expect(await people(rig)).toBe("1:20 2:20 3:20");
  await rig.target.query("alter table person drop constraint grown_up");
  await rig.source.query("update bucardo.set_aside set replay = true");
  await rig.run();
  expect(await keys(rig)).toEqual([]);
  expect(await rig.differences()).toEqual([]);
});

test("a first copy, a truncated table and a table that leaves the sync", async () => {
  await using rig = await rigOf();
  await rig.source.query("insert into person select i, 'm', 17 + i from generate_series(0, 400) i");
  const copied = await rig.run({ onetimecopy: 1 });
  expect(copied.tables).toMatchObject([{ upserted: 400, refilled: true, setAside: 1 }]);
  expect(await keys(rig)).toEqual(["0"]);
  await rig.run({ onetimecopy: 1 });
  expect(await keys(rig)).toEqual(["0"]);
  await rig.source.query("truncate person; insert into person values (5, 'n', 50), (6, 'n', 6)");
  await rig.run();
  expect(await keys(rig)).toEqual(["6"]);
  expect(await people(rig)).toBe("5:50");
  await rig.source.query("delete from bucardo.subscription");
  expect(await keys(rig)).toEqual([]);
});

test("more than a thousand rows are no matter of single rows: the sync stops", async () => {
  await using rig = await rigOf();
  await rig.source.query("insert into person select i, 'm', 1 from generate_series(1, 1001) i");
  await expect(rig.run()).rejects.toMatchObject({ code: "set-aside-full", details: { table: "public.person" } });
  expect(await keys(rig)).toEqual([]);
  expect(await people(rig)).toBe("null");
});

test("a run that ends between the target's commit and its settling sets the same rows aside once more, and none is lost", async () => {
  const { onPoint } = await import("../../src/base/point.ts");
  await using rig = await rigOf();
  await rig.source.query("insert into person values (1, 'a', 20), (2, 'b', 2)");
  {
    using _ = onPoint((point) => {
      if (point === "replicate.target-committed") throw new Error("the daemon dies here");
    });
    await expect(rig.run()).rejects.toThrow("dies here");
  }
  await rig.dropSessions();
  expect(await keys(rig)).toEqual([]);
  expect(await people(rig)).toBe("1:20");
  await rig.run();
  expect(await keys(rig)).toEqual(["2"]);
  await rig.target.query("alter table person drop constraint grown_up");
  await rig.source.query("update bucardo.set_aside set replay = true");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("several tables of a run, several rows of each, keys of several columns and types", async () => {
  const schema = `create table one (a text, b numeric, c date, v int, primary key (a, b, c)); create table two (id uuid primary key, v varchar(9));
    create table three (id int primary key)`;
  await using rig = await openRig({
    majors: [10, 18],
    schema,
    targetSchema: schema.replace("v int,", "v int check (v < 90),").replace("varchar(9)", "varchar(3)"),
    tables: ["one", "two", "three"],
    strict: false,
    onError: "set_aside",
  });
  await rig.source.query(`insert into one select 'a,"' || i, i / 3.0, date '2026-01-01' + i, i from generate_series(1, 99) i;
    insert into two select md5(i::text)::uuid, repeat('x', i) from generate_series(1, 5) i; insert into three select generate_series(1, 9)`);
  const result = await rig.run();
  expect(result.tables.map(({ setAside, upserted }) => [setAside, upserted])).toEqual([
    [10, 89],
    [2, 3],
    [undefined, 9],
  ]);
  await rig.target.query("alter table one drop constraint one_v_check; alter table two alter v type varchar(9)");
  await rig.source.query("update bucardo.set_aside set replay = true");
  expect((await rig.run()).setAside).toBe(0);
  expect(await rig.differences()).toEqual([]);
});
