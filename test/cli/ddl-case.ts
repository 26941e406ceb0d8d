/** What somebody does to a replicated table, and what the sync says and wants for it. % is the table, which is also the sync. */
export type DdlCase = {
  readonly what: string;
  /** Of both sides; default id, v, w. */
  readonly schema?: string;
  /** Oldest version whose servers can do it. */
  readonly since?: number;
  /** In order; between two of them the application writes and the sync runs. */
  readonly steps: readonly DdlStep[];
};

export type DdlStep = {
  /** Where, and what. */
  readonly ddl: string;
  /** The application's next write on A; it works, unless `breaks`. */
  readonly write: string;
  readonly breaks?: true;
  /** Of the next run; absent: it succeeds. */
  readonly code?: string;
  readonly names?: string;
  /** Each stands in the advice as it is (`A:` and `B:` as "On A: ", commands in backticks), and all together mend it. */
  readonly remedy?: readonly string[];
  /** The sides may differ afterwards: a later step makes them equal. */
  readonly differs?: true;
};

export const PLAIN = "create table % (id int primary key, v text, w int)";
const PARTED = `create table % (id int, v text, w int, primary key (id, w)) partition by list (w);
  create table %_1 partition of % for values in (1); create table %_2 partition of % for values in (2)`;

export const ddlCases: readonly DdlCase[] = [
  {
    what: "a column is added, on the source first",
    steps: [
      {
        ddl: "A: alter table % add column x int",
        write: "insert into % (id, v, x) values (10, 'new', 1); update % set x = 2 where id = 1",
        code: "schema-mismatch",
        names: "column x does not exist on B",
        remedy: ['B: alter table "public"."%" add column "x" integer;'],
      },
    ],
  },
  {
    what: "a column is added, on the target first",
    steps: [
      { ddl: "B: alter table % add column x int", write: "insert into % (id, v) values (10, 'between')", differs: true },
      {
        ddl: "A: alter table % add column x int",
        write: "insert into % (id, v, x) values (11, 'new', 1); update % set x = 2 where id = 1",
      },
    ],
  },
  {
    what: "a column is added with a value for the rows that are there",
    steps: [
      {
        ddl: "A: alter table % add column x text not null default 'made'",
        write: "insert into % (id, v) values (10, 'new')",
        code: "schema-mismatch",
        names: "column x",
        remedy: ['B: alter table "public"."%" add column "x" text'],
      },
    ],
  },
  {
    what: "a column is dropped, on the source first",
    steps: [
      { ddl: "A: alter table % drop column w", write: "insert into % (id, v) values (10, 'new')", differs: true },
      { ddl: "B: alter table % drop column w", write: "insert into % (id, v) values (11, 'new')" },
    ],
  },
  {
    what: "a column that must have a value is dropped on the source",
    schema: "create table % (id int primary key, v text, w int not null)",
    steps: [
      {
        ddl: "A: alter table % drop column w",
        write: "insert into % (id, v) values (10, 'new')",
        code: "schema-mismatch",
        names: "column w exists only on B",
        remedy: ['B: alter table "public"."%" alter column "w" drop not null;'],
        differs: true,
      },
      { ddl: "B: alter table % drop column w", write: "update % set v = 'newer' where id = 10" },
    ],
  },
  {
    what: "a column is renamed, on the source first",
    steps: [
      {
        ddl: "A: alter table % rename column v to text",
        write: "insert into % (id, text) values (10, 'new')",
        code: "schema-mismatch",
        names: "column v of public.% was renamed to text on A",
        remedy: ['B: alter table "public"."%" rename column "v" to "text";'],
      },
    ],
  },
  {
    what: "a column is renamed, on the target first",
    steps: [
      {
        ddl: "B: alter table % rename column v to text",
        write: "insert into % (id, v) values (10, 'new')",
        code: "schema-mismatch",
        names: "column v does not exist on B",
        differs: true,
      },
      // The advice is to make it again and to copy; this is the other way out.
      { ddl: "A: alter table % rename column v to text", write: "insert into % (id, text) values (11, 'newer')" },
    ],
  },
  {
    what: "the type of a column is changed, on the source first",
    steps: [
      {
        ddl: "A: alter table % alter column w type bigint",
        write: "insert into % values (10, 'new', 5000000000)",
        code: "schema-mismatch",
        names: "column w is bigint on the source and integer on B",
        remedy: ['B: alter table "public"."%" alter column "w" type bigint;'],
      },
    ],
  },
  {
    what: "the type of a column is changed, on the target first",
    steps: [
      { ddl: "B: alter table % alter column w type bigint", write: "insert into % values (10, 'new', 5)" },
      { ddl: "A: alter table % alter column w type bigint", write: "insert into % values (11, 'new', 5000000000)" },
    ],
  },
  {
    what: "a value changes its meaning with the type",
    steps: [
      {
        ddl: "A: alter table % alter column w type text using 'n' || w",
        write: "insert into % values (10, 'new', 'n9')",
        code: "schema-mismatch",
        names: "column w",
        remedy: ['B: alter table "public"."%" alter column "w" type text;'],
      },
    ],
  },
  {
    what: "a column is dropped, on the target first, and wanted after all",
    steps: [
      {
        ddl: "B: alter table % drop column w",
        write: "insert into % values (10, 'new', 5)",
        code: "schema-mismatch",
        names: "column w does not exist on B",
        remedy: ['B: alter table "public"."%" add column "w" integer;', "bucardo update sync % onetimecopy=1"],
      },
    ],
  },
  {
    what: "the key gets another column, on the source first",
    steps: [
      {
        ddl: "A: update % set w = 0 where w is null; alter table % drop constraint %_pkey, add primary key (id, w)",
        write: "insert into % values (10, 'new', 5)",
        code: "schema-mismatch",
        names: "column w is NOT NULL on the source and nullable on B",
        remedy: ['B: alter table "public"."%" alter column "w" set not null;'],
      },
      {
        ddl: "A: alter table % alter column w set not null",
        write: "insert into % values (1, 'same id', 77)",
        code: "data-rejected",
        names: "%_pkey",
        differs: true,
      },
      {
        ddl: "B: alter table % drop constraint %_pkey, add primary key (id, w)",
        write: "update % set v = 'newer' where w = 77",
      },
    ],
  },
  {
    what: "the key gets another column on both sides",
    steps: [
      {
        ddl: "AB: update % set w = 0 where w is null; alter table % drop constraint %_pkey, add primary key (id, w)",
        write: "insert into % values (1, 'same id', 77)",
      },
    ],
  },
  {
    what: "a column of the key is renamed",
    steps: [
      {
        ddl: "A: alter table % rename column id to number",
        write: "insert into % (number, v) values (10, 'new')",
        breaks: true,
        code: "schema-mismatch",
        names: "key column id of public.% on source A was renamed to number",
        remedy: ['B: alter table "public"."%" rename column "id" to "number";', "bucardo validate %"],
      },
    ],
  },
  {
    what: "the table is renamed",
    steps: [
      {
        ddl: "A: alter table % rename to %_new",
        write: "insert into %_new values (10, 'new', 1)",
        code: "checkpoint-missing",
        names: "public.% is called public.%_new on source A now",
        remedy: ['A: alter table "public"."%_new" rename to "%";'],
      },
    ],
  },
  {
    what: "the table moves to another schema",
    steps: [
      {
        ddl: "A: create schema if not exists away; alter table % set schema away",
        write: "insert into away.% values (10, 'new', 1)",
        code: "checkpoint-missing",
        names: "public.% is called away.% on source A now",
        remedy: ['A: alter table "away"."%" set schema "public";'],
      },
    ],
  },
  {
    what: "the table is dropped and made again",
    steps: [
      {
        ddl: "A: drop table %; create table % (id int primary key, v text, w int)",
        write: "insert into % values (1, 'of the new table', 1)",
        code: "checkpoint-missing",
        names: "public.% is not captured on source A",
        remedy: ["bucardo validate %"],
      },
    ],
  },
  {
    what: "the table is dropped on the target and made again",
    steps: [
      {
        ddl: "B: drop table %",
        write: "insert into % values (10, 'new', 1)",
        code: "schema-mismatch",
        names: "does not exist on B",
        differs: true,
      },
      {
        ddl: "B: create table % (id int primary key, v text, w int)",
        write: "insert into % values (11, 'new', 1)",
        differs: true,
      },
      { ddl: "CLI: update sync % onetimecopy=1", write: "insert into % values (12, 'new', 1)" },
    ],
  },
  {
    what: "a partition is added that the target lacks",
    since: 11,
    schema: PARTED,
    steps: [
      {
        ddl: "A: create table %_3 partition of % for values in (3)",
        write: "insert into % values (10, 'new', 3)",
        code: "data-rejected",
        names: "no partition",
        differs: true,
      },
      { ddl: "B: create table %_3 partition of % for values in (3)", write: "insert into % values (11, 'newer', 3)" },
    ],
  },
  {
    what: "a partition with rows is attached",
    since: 13,
    schema: PARTED,
    steps: [
      {
        ddl: "AB: create table %_4 (id int, v text, w int not null, primary key (id, w))",
        write: "insert into %_4 values (20, 'before', 4)",
      },
      { ddl: "AB: alter table % attach partition %_4 for values in (4)", write: "insert into % values (21, 'after', 4)" },
    ],
  },
  {
    what: "a partition is detached, and one dropped",
    since: 11,
    schema: PARTED,
    steps: [
      { ddl: "A: alter table % detach partition %_2", write: "insert into % values (10, 'new', 1)" },
      { ddl: "A: drop table %_1", write: "update %_2 set v = 'elsewhere'" },
    ],
  },
];
