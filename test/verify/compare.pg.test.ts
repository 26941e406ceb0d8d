import { describe, expect, it, test } from "vitest";
import type { RelationKind } from "../../src/model/sync.ts";
import { compareSync, type CompareRelation, type SyncEquality } from "../../src/verify/compare.ts";
import { readTables } from "../../src/catalog/table.ts";
import type { Session } from "../../src/postgres/session.ts";
import type { Statement } from "../../src/postgres/sql.ts";
import { compareTable } from "../../src/verify/compare-table.ts";
import { openDatabase, type Opened } from "../catalog/open.ts";
import { onServer } from "../harness/database.ts";
import { waitFor } from "../harness/wait.ts";

function relation(name: string, kind: RelationKind = "table", key: string[] | null = null): CompareRelation {
  return { kind, name: { schema: "public", name }, key };
}

function compare(
  source: Opened,
  target: Opened,
  relations: CompareRelation[],
  options: { limit?: number; patienceMs?: number } = {},
): Promise<SyncEquality> {
  return compareSync({ source: source.session, target: target.session, relations, ...options });
}

async function onBoth(sides: readonly Opened[], text: string): Promise<void> {
  await Promise.all(sides.map(({ database }) => database.query(text)));
}

const pairs = [
  [10, 18],
  [10, 10],
  [12, 18],
  [18, 12],
  [15, 18],
] as const;

describe.each(pairs)("%i against %i", (from, to) => {
  it("finds equal what is equal, of every type", async () => {
    await using source = await openDatabase(from);
    await using target = await openDatabase(to);
    await onBoth(
      [source, target],
      `create extension citext; create extension hstore; create type mood as enum ('a', 'b'); create domain d as numeric(10, 2); create type pair as (a int, b text);
       create table t (id int primary key, i2 smallint, i8 bigint, n numeric, d d, r real, f float8, rs real[], fs float8[], pt point, bx box, poly polygon, ci circle,
         t text, v varchar(10), c char(5), ct citext, b bytea, bo bool, da date, ti time, tz timetz, ts timestamp, tstz timestamptz, iv interval, u uuid,
         j json, jb jsonb, x xml, ip inet, m mood, ms mood[], p pair, h hstore, rg int4range, mo money, bi bit(3), vb varbit, ta text[][], tsv tsvector, "char" "char", o oid, nu text);
       insert into t select i, i, i * 4e9::int8, i / 3::numeric, i / 7.0, i / 3::real, i / 3::float8, array[i / 3::real, 'nan'], array[i / 7::float8, '-0', '1e-300'],
         point(i / 3::float8, 0.1), box(point(i / 3::float8, 0.1), point(1, 2)), polygon(box(point(i / 3::float8, 0.1), point(1, 2))), circle(point(0.1, 0.2), i / 3::float8),
         e'tab\\t back\\\\ é ' || i, 'v' || i, 'c', 'Ci' || i, decode(lpad(to_hex(i), 8, '0'), 'hex') || '\\x00ff'::bytea, i % 2 = 0, date '2020-02-29' + i, time '12:34:56.789' + i * interval '1 s',
         timetz '12:34:56.789+03', timestamp '2020-01-01' + i * interval '1.000001 s', timestamptz '2020-01-01 00:00:00+05' + i * interval '1.000001 s', i * interval '1 mon 2 days 3.5 s',
         md5(i::text)::uuid, json_build_object('a', i), jsonb_build_object('b', i, 'f', 0.10), xmlparse(content '<a>' || i || '</a>'), ('10.0.0.' || i % 255)::inet,
         (array['a', 'b'])[1 + i % 2]::mood, array['a', null, 'b']::mood[], row(i, 'x,"y')::pair, hstore('a', i::text), int4range(i, i + 5), i::money, b'101', '1101', array[['a', null], ['c', 'd,e']],
         to_tsvector('simple', 'a b ' || i), 'x', i, null
       from generate_series(1, 300) i`,
    );
    const result = await compare(source, target, [relation("t")]);
    const hash = result.tables[0]?.sourceHash;
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    const rows = { sourceRows: 300, targetRows: 300, sourceHash: hash, targetHash: hash };
    expect(result).toEqual({
      equal: true,
      tables: [{ table: "public.t", equal: true, ...rows, differences: [], complete: true }],
      sequences: [],
      problems: [],
    });
  });

  it("names the keys that differ, and each kind of difference", async () => {
    await using source = await openDatabase(from);
    await using target = await openDatabase(to);
    await onBoth(
      [source, target],
      `create table "T é" (a int, "b "" c" text, v text, f float8, primary key (a, "b "" c"));
       insert into "T é" select i, e'k\\x1f' || i, 'v' || i, i / 3::float8 from generate_series(1, 5000) i`,
    );
    const relations = [relation("T é")];
    expect((await compare(source, target, relations)).equal).toBe(true);
    await target.database
      .query(`delete from "T é" where a = 17; update "T é" set v = 'V18' where a = 18; update "T é" set f = f + 1e-15 where a = 1;
      update "T é" set v = null where a = 19; insert into "T é" values (0, 'new', null, null)`);
    const [table] = (await compare(source, target, relations)).tables;
    expect(table).toMatchObject({ equal: false, sourceRows: 5000, targetRows: 5000, complete: true });
    expect(table!.targetHash).not.toBe(table!.sourceHash);
    expect(table!.differences).toEqual([
      { key: ["0", "new"], kind: "only-target" },
      { key: ["1", "k\x1f1"], kind: "different" },
      { key: ["17", "k\x1f17"], kind: "only-source" },
      { key: ["18", "k\x1f18"], kind: "different" },
      { key: ["19", "k\x1f19"], kind: "different" },
    ]);
    const few = (await compare(source, target, relations, { limit: 2 })).tables[0]!;
    expect(few).toMatchObject({ equal: false, complete: false });
    expect(few.differences).toHaveLength(2);
  });
});

test("columns of other types, order and partitioning are compared by value", async () => {
  await using source = await openDatabase(
    12,
    `create table t (id int primary key, n numeric(10, 1), c char(4), v varchar(5), ts timestamp(3), r real, g int generated always as (id + 1) stored);
     insert into t select i, i / 2.0, 'c', 'v', timestamp '2020-01-01 10:00:00.5', i / 3::real from generate_series(1, 100) i;
     create table p (a int, b int, primary key (a)) partition by range (a);
     create table p1 partition of p for values from (0) to (50); create table p2 partition of p for values from (50) to (101);
     insert into p select i, i from generate_series(1, 100) i`,
  );
  await using target = await openDatabase(
    18,
    `create table t (r float8, ts timestamptz, v text, c text, n numeric(20, 4), g int generated always as (id + 1), id bigint primary key);
     insert into t (r, ts, v, c, n, id)
       select (i / 3::real)::text::float8, '2020-01-01 10:00:00.5+00', 'v', 'c   ', i / 2.0, i from generate_series(1, 100) i;
     create table p (a int primary key, b int);
     insert into p select i, i from generate_series(1, 100) i`,
  );
  const relations = [relation("t"), relation("p")];
  expect(await compare(source, target, relations)).toMatchObject({ equal: true });
  await target.database.query("update t set n = 1.1 where id = 2; update p set b = 0 where a = 70");
  const result = await compare(source, target, relations);
  expect(result.tables.map((table) => table.differences)).toEqual([
    [{ key: ["2"], kind: "different" }],
    [{ key: ["70"], kind: "different" }],
  ]);
});

test("other encodings are compared by character", async () => {
  await using source = await openDatabase(
    12,
    "create table t (k text primary key, v text); insert into t select 'é' || i, 'ñ' || i from generate_series(1, 500) i",
    { encoding: "LATIN1" },
  );
  await using target = await openDatabase(
    18,
    "create table t (k text primary key, v text); insert into t select 'é' || i, 'ñ' || i from generate_series(1, 500) i",
  );
  expect(await compare(source, target, [relation("t")])).toMatchObject({ equal: true });
  await target.database.query("update t set v = 'n1' where k = 'é1'");
  expect((await compare(source, target, [relation("t")])).tables[0]!.differences).toEqual([{ key: ["é1"], kind: "different" }]);
});

test("tables with more columns than a function takes arguments", async () => {
  const columns = Array.from({ length: 250 }, (_, index) => `c${index} int`).join(", ");
  const ddl = `create table t (id int primary key, ${columns}); insert into t (id, c249) values (1, 1)`;
  await using source = await openDatabase(12, ddl);
  await using target = await openDatabase(18, ddl);
  expect(await compare(source, target, [relation("t")])).toMatchObject({ equal: true });
  await target.database.query("update t set c249 = null, c248 = 1");
  expect(await compare(source, target, [relation("t")])).toMatchObject({ equal: false });
});

test("values that move between columns, NULL and its look-alikes are not taken for each other", async () => {
  const ddl = "create table t (id int primary key, a text, b text)";
  await using source = await openDatabase(
    15,
    `${ddl}; insert into t values (1, null, 'x'), (2, '', 'x'), (3, 'a', 'b|c'), (4, '\\N', null), (5, 'ab', '')`,
  );
  await using target = await openDatabase(
    18,
    `${ddl}; insert into t values (1, '', 'x'), (2, null, 'x'), (3, 'a|b', 'c'), (4, null, '\\N'), (5, 'a', 'b')`,
  );
  expect((await compare(source, target, [relation("t")])).tables[0]!.differences.map(({ key }) => key[0])).toEqual([
    "1",
    "2",
    "3",
    "4",
    "5",
  ]);
});

test("buckets too large to be fetched at once are divided", async () => {
  const ddl = "create table t (id int primary key); insert into t select generate_series(1, 20000)";
  await using source = await openDatabase(15, ddl);
  await using target = await openDatabase(18, ddl);
  await target.database.query("delete from t where id % 5000 = 7");
  const name = { schema: "public", name: "t" };
  const [here, there] = [await readTables(source.session, [name]), await readTables(target.session, [name])];
  const table = { source: here.get("public.t")!, target: there.get("public.t")! };
  const fetched: number[] = [];
  const counting: Session = Object.create(source.session, {
    query: {
      value: async (statement: Statement) => {
        const rows = await source.session.query(statement);
        if (statement.name === "verify.rows") fetched.push(rows.length);
        return rows;
      },
    },
  }) as Session;
  const result = await compareTable({ source: counting, target: target.session, table, key: ["id"], rowsAtOnce: 10 });
  expect(result).toMatchObject({ sourceRows: 20_000, targetRows: 19_996, complete: true });
  expect(result.differences.map(({ key }) => key[0])).toEqual(["7", "5007", "10007", "15007"]);
  expect(Math.max(...fetched)).toBeLessThanOrEqual(10);
});

test("sequences, and what cannot be compared, are reported together", async () => {
  await using source = await openDatabase(
    12,
    "create sequence s; create sequence gone; create table nokey (a int); create table one (id int primary key); select nextval('s')",
  );
  await using target = await openDatabase(18, "create sequence s; create table nokey (a int)");
  const relations = [relation("s", "sequence"), relation("gone", "sequence"), relation("nokey"), relation("one")];
  const result = await compare(source, target, relations);
  expect(result.equal).toBe(false);
  expect(result.sequences).toEqual([
    { sequence: "public.s", equal: false, source: { value: "1", called: true }, target: { value: "1", called: false } },
  ]);
  expect(result.problems.map((problem) => [problem.table, problem.db])).toEqual([
    ["public.nokey", "pg12"],
    ["public.one", "pg18"],
    ["public.gone", "pg18"],
  ]);
});

test("with writers, rows on their way are followed until they have arrived, and a wrong one is found", async () => {
  const ddl =
    "create extension citext; create table t (k citext, n int, v text, primary key (k, n)); insert into t select 'K' || i, i, 'v' from generate_series(1, 2000) i";
  await using source = await openDatabase(12, `${ddl}; create sequence s`);
  await using target = await openDatabase(18, `${ddl}; create sequence s`);
  await source.database.query(
    "update t set v = 'w' where n <= 50; delete from t where n = 60; insert into t values ('new', 0, ''); select nextval('s')",
  );
  const relations = [relation("t"), relation("s", "sequence")];
  const watched = await target.database.client();
  const comparison = compare(source, target, relations, { patienceMs: 30_000 });
  // The rows arrive only once the comparison has seen them differ.
  await waitFor(
    async () =>
      (await watched.query("select from pg_stat_activity where query like '%bucardo:verify.recheck%' and pid <> pg_backend_pid()"))
        .rowCount === 1,
    { what: "the second look" },
  );
  await target.database.query(
    "update t set v = 'w' where n <= 50; delete from t where n = 60; insert into t values ('new', 0, ''); select nextval('s')",
  );
  expect(await comparison).toMatchObject({ equal: true, tables: [{ equal: true, differences: [] }], sequences: [{ equal: true }] });

  await target.database.query("update t set v = 'wrong' where n = 70");
  const wrong = await compare(source, target, relations, { patienceMs: 300 });
  expect(wrong).toMatchObject({ equal: false, tables: [{ differences: [{ key: ["K70", "70"], kind: "different" }] }] });
});

test("an abort cancels what runs on the servers, and the sessions are usable again", async () => {
  const ddl = "create table t (id int primary key); insert into t values (1)";
  await using source = await openDatabase(12, ddl);
  await using target = await openDatabase(18, ddl);
  await source.database.query("begin; lock table t in access exclusive mode");
  const abort = new AbortController();
  const comparison = compareSync({ source: source.session, target: target.session, relations: [relation("t")], signal: abort.signal });
  const ended = expect(comparison).rejects.toThrow("enough");
  await onServer(source.database.server, (client) =>
    waitFor(
      async () =>
        (await client.query("select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'", [source.database.name]))
          .rowCount === 1,
      {
        what: "the comparison to wait for the lock",
      },
    ),
  );
  abort.abort(new Error("enough"));
  await ended;
  await source.database.query("rollback");
  expect(await compare(source, target, [relation("t")])).toMatchObject({ equal: true });
});
