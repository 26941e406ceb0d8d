import { expect, test } from "vitest";
import type { Rig } from "./rig.ts";
import { openRig } from "./rig.ts";

const PERSON = "create table person (id int primary key, mail text unique, nick text)";

async function rigOf(schema = PERSON, targetSchema = schema): Promise<Rig> {
  return openRig({ schema, targetSchema, tables: ["person"], strict: false, onError: "overwrite" });
}

test("rows that only the target has give way, are counted and kept; no other row goes", async () => {
  await using rig = await rigOf(PERSON, `${PERSON}; create unique index person_nick on person (lower(nick)) where nick <> ''`);
  await rig.source.query("insert into person select i, 'm' || i, 'Nick' || i from generate_series(1, 50) i");
  await rig.target.query(
    "insert into person values (900, 'm7', 'a'), (901, 'b', 'NICK7'), (902, 'm9', 'NICK11'), (903, 'c', ''), (904, 'other', 'other')",
  );
  const result = await rig.run();
  expect(result.tables).toMatchObject([{ upserted: 50, overwritten: 3 }]);
  expect(result.setAside).toBe(0);
  expect(await rig.target.query("select id from person where id >= 900 order by id")).toEqual([{ id: 903 }, { id: 904 }]);
  expect(await rig.source.query("select key[1] as key, kind, image->>'mail' as mail from bucardo.set_aside order by id")).toEqual([
    { key: "900", kind: "overwritten", mail: "m7" },
    { key: "901", kind: "overwritten", mail: "b" },
    { key: "902", kind: "overwritten", mail: "m9" },
  ]);
  await rig.target.query("delete from person where id >= 900");
  expect(await rig.differences()).toEqual([]);
  expect((await rig.run()).outcome).toBe("empty");
});

test("a row that the source has never gives way: the sync stops, and says that both are there", async () => {
  await using rig = await rigOf(PERSON, `${PERSON}; create unique index person_nick on person (nick)`);
  await rig.source.query("insert into person values (1, 'a', 'x')");
  await rig.run();
  await rig.source.query("insert into person values (2, 'b', 'x')");
  await expect(rig.run()).rejects.toMatchObject({
    code: "data-rejected",
    details: { sqlstate: "23505", key: "id=2" },
    advice: expect.stringContaining("both rows"),
  });
  expect(await rig.target.query("select id from person")).toEqual([{ id: 1 }]);
});

test("any other fault stops, and rows that gave way to others come back with the run", async () => {
  await using rig = await rigOf(PERSON, `${PERSON}; alter table person add check (nick <> 'SECRET')`);
  await rig.target.query("insert into person values (900, 'a', 'stray')");
  await rig.source.query("insert into person values (1, 'a', 'x'), (2, 'b', 'SECRET')");
  await expect(rig.run()).rejects.toMatchObject({ code: "data-rejected", details: { sqlstate: "23514", key: "id=2" } });
  expect(await rig.target.query("select id from person")).toEqual([{ id: 900 }]);
  expect(await rig.source.query("select from bucardo.set_aside")).toEqual([]);
});

test("several rows in the way of one, by an exclusion constraint; a first copy; partitions of the target", async () => {
  const plain = "create table person (id int, span int4range, region int, primary key (id, region))";
  await using rig = await rigOf(
    plain,
    `${plain.replace(/\)$/, ", unique (span, region))")} partition by list (region); create table person_1 partition of person for values in (1);
     create table person_2 partition of person for values in (2); alter table person_1 add constraint apart exclude using gist (span with &&)`,
  );
  await rig.target.query(
    "insert into person values (900, '[1,3)', 1), (901, '[4,6)', 1), (902, '[8,9)', 1), (903, '[1,9)', 2), (904, '[1,9)', 2)".replace(
      ", (904, '[1,9)', 2)",
      "",
    ),
  );
  await rig.source.query("insert into person values (1, '[2,5)', 1), (2, '[1,9)', 2)");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 2, overwritten: 3 }]);
  expect(await rig.target.query("select id from person order by id")).toEqual([{ id: 1 }, { id: 2 }, { id: 902 }]);
  await rig.target.query("delete from person where id = 902");
  expect(await rig.differences()).toEqual([]);
});
