import { expect, test } from "vitest";
import { openRig, type Rig, type RigOptions } from "../replicate/rig.ts";
import { at, runApart } from "./steering.ts";

/** A role of the target, or of the source, that owns the tables of public and is no superuser. */
async function givenTo(rig: Rig, side: "source" | "target", role: string): Promise<string> {
  const database = rig[side];
  const name = `${role}_${database.name}`;
  await database.query(
    `create role ${name} login; grant all on schema public to ${name};
     do $$ declare r regclass; begin for r in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') loop execute format('alter table %s owner to ${name}', r); end loop; end $$`,
  );
  return name;
}

async function dropRole(rig: Rig, side: "source" | "target", name: string): Promise<void> {
  await rig[side].query(`reassign owned by ${name} to postgres; drop owned by ${name}; drop role ${name}`);
}

test("H9: without the replica role a replaced parent takes no child along, and what the source deleted still goes", async () => {
  const schema = `
    create table child (id int primary key, parent int, v text);
    create table parent (id int primary key, name text unique, v text);
    create table other (id int primary key, parent int);
    alter table child add foreign key (parent) references parent on delete cascade;
    alter table other add foreign key (parent) references parent on delete set null`;
  await using rig = await openRig({ schema, tables: ["child", "parent", "other"] });
  await rig.source.query(
    "insert into parent select i, 'n' || i, 'first' from generate_series(1, 4) i; insert into child select i, i, 'c' from generate_series(1, 4) i; insert into other select i, i from generate_series(1, 4) i",
  );
  const targetUser = await givenTo(rig, "target", "owner");
  await runApart(rig, { targetUser });
  expect(await rig.differences()).toEqual([]);
  await rig.source.query(
    "update parent set v = 'second' where id <= 2; delete from parent where id = 4; insert into parent values (5, 'n5', 'x'); update child set parent = 5 where id = 1",
  );
  await runApart(rig, { targetUser });
  expect(await rig.differences()).toEqual([]);
  // values that wander between rows cannot be written in place: said, not lost
  await rig.source.query(
    "update parent set name = 'x' where id = 1; update parent set name = 'n1' where id = 2; update parent set name = 'n2' where id = 1",
  );
  await expect(runApart(rig, { targetUser })).rejects.toMatchObject({ code: "data-rejected" });
  expect(await rig.target.one("select count(*)::int as rows from child")).toEqual({ rows: 3 });
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await dropRole(rig, "target", targetUser);
});

test("H9: without the replica role a table that is emptied and filled keeps the children of its rows", async () => {
  const schema =
    "create table parent (id int primary key, v text); create table child (id int primary key, parent int references parent on delete cascade)";
  await using rig = await openRig({ schema, tables: ["parent", "child"] });
  await rig.source.query("insert into parent values (1, 'a'), (2, 'b'); insert into child values (1, 1), (2, 2)");
  const targetUser = await givenTo(rig, "target", "owner");
  await runApart(rig, { targetUser });
  await rig.source.query(
    "begin; alter table child drop constraint child_parent_fkey; truncate parent; insert into parent values (1, 'again'), (2, 'again'); commit",
  );
  await runApart(rig, { targetUser });
  await runApart(rig, { targetUser, definition: rig.definition({ onetimecopy: 1 }) });
  expect(await rig.differences()).toEqual([]);
  await dropRole(rig, "target", targetUser);
});

test.for(["source", "target"] as const)("H10: row level security of the %s is an error, never missing rows", async (side) => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text)", tables: ["t"] });
  await rig.source.query("insert into t select i, case when i < 5 then 'seen' else 'hidden' end from generate_series(1, 10) i");
  await rig.run();
  const user = await givenTo(rig, side, "limited");
  if (side === "source")
    await rig.source.query(`grant usage on schema bucardo to ${user}; grant all on all tables in schema bucardo to ${user}`);
  await rig[side].query(
    "alter table t enable row level security; alter table t force row level security; create policy p on t using (v = 'seen')",
  );
  await rig.source.query("update t set id = id + 100");
  await expect(runApart(rig, { [`${side}User`]: user })).rejects.toMatchObject({
    code: side === "source" ? "permission-denied" : "schema-mismatch",
    message: expect.stringMatching(/row.level security/),
  });
  expect(await rig.target.one("select count(*)::int as rows from t where id <= 10")).toEqual({ rows: 10 });
  await dropRole(rig, side, user);
});

const unique = "create table t (id int primary key, code text unique, span int4range, exclude using gist (span with &&))";

test("H14: values that wander between rows, unique or excluded, arrive in one run", async () => {
  await using rig = await openRig({ schema: unique, tables: ["t"] });
  await rig.source.query("insert into t select i, 'c' || i, int4range(i * 10, i * 10 + 10) from generate_series(1, 500) i");
  await rig.run();
  await rig.source.query(`
    begin;
    update t set code = 'x' || id, span = int4range(id * 10 + 100000, id * 10 + 100010);
    update t set code = 'c' || (id % 500 + 1), span = int4range((id % 500 + 1) * 10, (id % 500 + 1) * 10 + 10);
    commit`);
  expect((await rig.run()).tables).toMatchObject([{ upserted: 500, deleted: 500 }]);
  expect(await rig.differences()).toEqual([]);
});

test("H14: a row that takes the unique value of a deleted one arrives with the delete", async () => {
  await using rig = await openRig({ schema: unique, tables: ["t"] });
  await rig.source.query("insert into t values (1, 'a', null), (2, 'b', null)");
  await rig.run();
  await rig.source.query("delete from t where id = 2; update t set code = 'b' where id = 1; insert into t values (0, 'a', null)");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("H25: a reader of the target never sees a table empty that is emptied and filled, or copied", async () => {
  await using rig = await openRig({
    schema: "create table t (id int primary key, v text); create table child (id int primary key, t int references t)",
    tables: ["t", "child"],
  });
  await rig.source.query(
    "insert into t select i, 'first' from generate_series(1, 100) i; insert into child select i, i from generate_series(1, 100) i",
  );
  await rig.run();
  const reader = await rig.target.client();
  await reader.query("begin isolation level repeatable read; select 1");
  const seen = async (): Promise<unknown> => (await reader.query("select count(*)::int as rows, min(v) as v from t")).rows[0];
  await rig.source.query(
    "begin; truncate t, child; insert into t select i, 'second' from generate_series(1, 90) i; insert into child select i, i from generate_series(1, 90) i; commit",
  );
  const inBetween: unknown[] = [];
  using _steps = at(
    "replicate.table-applied",
    async () => void inBetween.push(await rig.target.one("select count(*)::int as rows, min(v) as v from t")),
  );
  await rig.run();
  expect(inBetween).toEqual([{ rows: 100, v: "first" }]);
  expect(await seen()).toEqual({ rows: 100, v: "first" });
  await rig.run({ onetimecopy: 1 });
  expect(await seen()).toEqual({ rows: 100, v: "first" });
  await reader.query("commit");
  expect(await seen()).toEqual({ rows: 90, v: "second" });
  expect(await rig.differences()).toEqual([]);
});

const awkward: Record<string, Pick<RigOptions, "schema" | "tables"> & { fill: string; change: string }> = {
  "an identity GENERATED ALWAYS beside the key": {
    schema: "create table t (k text primary key, n int generated always as identity, v text)",
    tables: ["t"],
    fill: "insert into t (k, v) select 'k' || i, 'first' from generate_series(1, 9) i",
    change:
      "update t set v = 'second' where k < 'k5'; insert into t (k, n, v) overriding system value values ('k1000', 77, 'x'); delete from t where k = 'k9'; insert into t (k, v) values ('k9', 'again')",
  },
  "a deferrable key": {
    schema: "create table t (id int primary key deferrable initially deferred, v text)",
    tables: ["t"],
    fill: "insert into t select i, 'v' || i from generate_series(1, 9) i",
    change: "update t set id = 10 - id; update t set v = 'x' where id = 3",
  },
  "an identity GENERATED ALWAYS as the key": {
    schema: "create table t (id int generated always as identity primary key, v text)",
    tables: ["t"],
    fill: "insert into t (v) select 'first' from generate_series(1, 9) i",
    change: "update t set v = 'second' where id < 5; insert into t (v) values ('x'); delete from t where id = 9",
  },
};

test.for(Object.entries(awkward))("H26: %s", async ([, { schema, tables, fill, change }]) => {
  await using rig = await openRig({ schema, tables });
  await rig.source.query(fill);
  await rig.run();
  await rig.source.query(change);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test.for([
  ["citext", "create extension citext schema public; create table t (k public.citext primary key, v text)"],
  [
    "a nondeterministic collation",
    "create collation public.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false); create table t (k text collate public.nocase primary key, v text)",
  ],
  ["numeric with another scale", "create table t (k numeric primary key, v text)"],
] as const)("H29: a key that changes only in its image (%s) is changed on the target too", async ([kind, schema]) => {
  await using rig = await openRig({ schema, tables: ["t"] });
  const [one, other] = kind.startsWith("numeric") ? ["1.0", "1.00"] : ["abc", "ABC"];
  await rig.source.query("insert into t values ($1, 'x')", [one]);
  await rig.run();
  await rig.source.query("update t set k = $1", [other]);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await rig.source.query("delete from t where k = $1", [one]);
  await rig.source.query("insert into t values ($1, 'y')", [one]);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});
