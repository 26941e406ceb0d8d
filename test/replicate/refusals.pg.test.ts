import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { BucardoError } from "../../src/model/error.ts";
import { createDatabase, onServer, TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { openRig, Rig } from "./rig.ts";

type Refusal = {
  readonly what: string;
  readonly source: string;
  readonly target: string;
  /** On the target, before the write. */
  readonly before?: string;
  readonly write: string;
  readonly code: string;
  readonly sqlstate?: string;
  /** A name that the operator needs. */
  readonly names: string;
  readonly mend: string;
  readonly strict?: boolean;
};

const plain = "create table % (id int primary key, v text)";

/** % is the table of the case. Values hold SECRET, which no message may repeat. */
const refusals: readonly Refusal[] = [
  {
    what: "a column that the target lacks",
    source: plain,
    target: "create table % (id int primary key)",
    write: "insert into % values (1, 'SECRET')",
    code: "schema-mismatch",
    names: "column v does not exist on target",
    mend: "alter table % add column v text",
  },
  {
    what: "a table that the target lacks",
    source: plain,
    target: "select 1",
    write: "insert into % values (1, 'SECRET')",
    code: "schema-mismatch",
    names: "does not exist on target",
    mend: plain,
  },
  {
    what: "a view where the table should be",
    source: plain,
    target: "create view % as select 1 as id, 'x'::text as v",
    write: "insert into % values (1, 'SECRET')",
    code: "schema-mismatch",
    names: "is a view on target",
    mend: `drop view %; ${plain}`,
  },
  {
    what: "a shorter column, by its type",
    source: "create table % (id int primary key, v varchar(30))",
    target: "create table % (id int primary key, v varchar(4))",
    write: "insert into % values (1, 'x')",
    code: "schema-mismatch",
    names: "column v",
    mend: "alter table % alter v type varchar(30)",
    strict: true,
  },
  {
    what: "a value too long for the target",
    source: "create table % (id int primary key, v varchar(30))",
    target: "create table % (id int primary key, v varchar(4))",
    write: "insert into % values (1, 'fits'), (2, 'SECRET too long')",
    code: "data-rejected",
    sqlstate: "22001",
    names: "character varying(4)",
    mend: "alter table % alter v type varchar(30)",
  },
  {
    what: "a CHECK that only the target has",
    source: plain,
    target: "create table % (id int primary key, v text constraint no_secrets check (v <> 'SECRET'))",
    write: "insert into % values (1, 'fine'), (2, 'SECRET')",
    code: "data-rejected",
    sqlstate: "23514",
    names: "no_secrets",
    mend: "alter table % drop constraint no_secrets",
  },
  {
    what: "a domain that only the target has",
    source: plain,
    target: "create domain %_domain as text constraint short check (length(value) < 5); create table % (id int primary key, v %_domain)",
    write: "insert into % values (2, 'SECRET')",
    code: "data-rejected",
    sqlstate: "23514",
    names: "short",
    mend: "alter domain %_domain drop constraint short",
  },
  {
    what: "a NOT NULL that only the target has",
    source: plain,
    target: "create table % (id int primary key, v text not null)",
    write: "insert into % values (1, null), (2, 'SECRET')",
    code: "data-rejected",
    sqlstate: "23502",
    names: '"v"',
    mend: "alter table % alter v drop not null",
  },
  {
    what: "a foreign row of the target in the way of a unique value",
    source: "create table % (id int primary key, v text constraint %_once unique)",
    target: "create table % (id int primary key, v text constraint %_once unique)",
    before: "insert into % values (99, 'SECRET')",
    write: "insert into % values (1, 'fine'), (2, 'SECRET')",
    code: "data-rejected",
    sqlstate: "23505",
    names: "_once",
    mend: "delete from % where id = 99",
  },
  {
    what: "a foreign row of the target in the way of a range",
    source: "create table % (id int primary key, v int4range, constraint %_apart exclude using gist (v with &&))",
    target: "create table % (id int primary key, v int4range, constraint %_apart exclude using gist (v with &&))",
    before: "insert into % values (99, '[1,5)')",
    write: "insert into % values (1, '[3,8)')",
    code: "data-rejected",
    sqlstate: "23P01",
    names: "_apart",
    mend: "delete from % where id = 99",
  },
  {
    what: "a row for which the target has no partition",
    source: plain,
    target:
      "create table % (id int primary key, v text) partition by range (id); create table %_low partition of % for values from (0) to (100)",
    write: "insert into % values (1, 'SECRET'), (500, 'SECRET')",
    code: "data-rejected",
    sqlstate: "23514",
    names: "partition",
    mend: "create table %_high partition of % for values from (100) to (1000)",
  },
  {
    what: "a label that was added to the enum of the source only",
    source: "create type %_mood as enum ('fine'); create table % (id int primary key, v %_mood); insert into % values (0, 'fine')",
    target: "create type %_mood as enum ('fine'); create table % (id int primary key, v %_mood)",
    write: "alter type %_mood add value 'SECRET'; ---; insert into % values (1, 'SECRET')",
    code: "data-rejected",
    sqlstate: "22P02",
    names: "enum",
    mend: "alter type %_mood add value 'SECRET'",
  },
];

test("what the target refuses is told with table, SQLSTATE and advice; nothing changes there, and the next run after mending succeeds", async () => {
  const named = refusals.map((refusal, index) => {
    const fill = (text: string) => text.replaceAll("%", `t${index}`);
    return { ...refusal, table: `t${index}`, fill };
  });
  await using rig = await openRig({
    majors: [15, 18],
    schema: `create table witness (id int primary key); ${named.map(({ source, fill }) => fill(source)).join("; ")}`,
    targetSchema: `create table witness (id int primary key); ${named.map(({ target, fill }) => fill(target)).join("; ")}`,
    tables: ["witness", ...named.map(({ table }) => table)],
    strict: false,
  });
  await rig.source.query(`update ${named.at(-1)!.table} set v = v`); // the link to it is known before the label comes
  await rig.run();
  for (const [index, { what, table, before, write, code, sqlstate, names, mend, strict = false, fill }] of named.entries()) {
    if (before !== undefined) await rig.target.query(fill(before));
    for (const part of fill(write).split("---;")) await rig.source.query(part);
    await rig.source.query(`insert into witness values (${index})`);
    for (const attempt of ["first", "again"]) {
      const error = await rig.run({ strict }).then(
        () => undefined,
        (failure: unknown) => failure,
      );
      expect({ what, attempt, error }).toMatchObject({ error: expect.any(BucardoError) as object });
      const { message, details, advice } = error as BucardoError;
      expect({ what, code: (error as BucardoError).code, table: details.table, sqlstate: details.sqlstate, sync: details.sync }).toEqual({
        what,
        code,
        table: `public.${table}`,
        sqlstate,
        sync: "rig",
      });
      expect(message).toContain(names);
      expect(`${message} ${advice}`).not.toContain("SECRET");
      expect(advice).not.toBe("");
      expect(await rig.target.one("select count(*)::int as rows from witness")).toEqual({ rows: index });
    }
    await rig.target.query(fill(mend));
    await rig.run({ strict });
    expect({ what, differences: await equalTables(rig.source, rig.target, ["witness", table]) }).toEqual({ what, differences: [] });
  }
});

test("a missing table is told when empty tables are to be copied, too", async () => {
  await using rig = await openRig({
    majors: [15, 18],
    schema: "create table t (id int primary key)",
    targetSchema: "select 1",
    tables: ["t"],
    capture: false,
  });
  await rig.source.query("insert into t values (1)");
  await rig.capture();
  await expect(rig.run({ onetimecopy: 2 })).rejects.toMatchObject({ code: "schema-mismatch", details: { table: "public.t" } });
  await rig.target.query("create table t (id int primary key)");
  await rig.run({ onetimecopy: 2 });
  expect(await rig.differences()).toEqual([]);
});

test.for([
  [18, 15, "interval", "'infinity'", "1 hour"],
  [17, 16, "interval[]", "array['-infinity'::interval]", "{1 hour}"],
  [18, 12, "numeric", "'Infinity'", "1"],
] as const)(
  "a value that only the newer version has (%i to %i: %s) is refused, never taken for another",
  async ([from, to, type, value, mended]) => {
    await using rig = await openRig({ majors: [from, to], schema: `create table t (id int primary key, v ${type})`, tables: ["t"] });
    await rig.source.query(`insert into t values (1, ${value})`);
    await expect(rig.run()).rejects.toMatchObject({ code: "data-rejected", details: { table: "public.t" } });
    await rig.source.query("update t set v = $1", [mended]);
    await rig.run();
    expect(await rig.differences()).toEqual([]);
  },
);

test("citext keys under two languages, which disagree about upper and lower case, are refused unless that is accepted", async () => {
  const server = await sharedServer(15);
  const name = `t${randomBytes(6).toString("hex")}`;
  await onServer(server, (admin) => admin.query(`create database ${name} template template0 lc_ctype 'C.UTF-8'`));
  const schema = "create extension citext; create table t (k citext primary key)";
  await using rig = new Rig(await createDatabase(server), new TestDatabase(server, name), { schema, tables: ["t"] });
  await rig.source.query(schema);
  await rig.target.query(schema);
  await rig.capture();
  await rig.source.query("insert into t values ('abc')");
  await expect(rig.run()).rejects.toMatchObject({ code: "schema-mismatch", message: expect.stringContaining("C.UTF-8") as string });
  await rig.run({ strict: false });
  expect(await rig.differences()).toEqual([]);
});
