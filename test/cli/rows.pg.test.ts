import { afterAll, beforeAll, expect, test } from "vitest";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

/** What rows may be: a table for each matter, and one sync, old source to new target, for all of them. */
let site: Site;
let daemon: AsyncDisposable;
const source = (): TestDatabase => site.databases[0]!;
const target = (): TestDatabase => site.databases[1]!;

/** Types of keys, each with three values. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  text: ["'it''s \"quoted\"'", "E'back\\\\slash\\ttab'", "' '"],
  bytea: ["'\\x00'", "'\\x5c4e00'", "'\\x'"],
  numeric: ["1.10", "-12345678901234567890.5", "'NaN'"],
  date: ["'infinity'", "'4713-01-01 BC'", "'2024-02-29'"],
  timestamptz: ["'2024-03-31 02:30:00.000001+01'", "'-infinity'", "'1883-01-01'"],
  uuid: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
  inet: ["'10.0.0.1/8'", "'::1'", "'192.168.0.0/16'"],
  int4range: ["'[1,5)'", "'empty'", "'(,3]'"],
  '"char"': ["'a'", "''''", "'\\'"],
  word: ["'d'", "'domain'", "'ü'"],
  mood: ["'sad'", "'it''s \"OK\"'", "','"],
  pair: ["row(1, 'a,b')", "row(null, '')", "row(2, '\"')"],
};
const EXOTIC = Object.keys(KEYS).map((_type, index) => `key_${index}`);
const fill = (table: string, index: number): string => {
  const values = Object.values(KEYS)[index]!;
  return values.map((value, at) => `insert into ${table} values (${value}, 'row ${at}');`).join("");
};
const exotic = Object.keys(KEYS)
  .map((type, index) => `create table key_${index} ("Key ${index} ключ" ${type} primary key, v text);`)
  .join("\n");

const SCHEMA = `
  create domain word as text check (value <> ''); create type mood as enum ('sad', 'it''s "OK"', ','); create type pair as (a int, "B b" text);
  ${exotic}
  create table captured (id int primary key, v text);
  create table moved (a int, b text, v text, primary key (a, b));
  create table swapped (id int primary key, code text not null unique, place int unique);
  create table computed (id int generated always as identity primary key, v int, twice int generated always as (v * 2) stored);
  create table parts (id int, region text, v text, primary key (id, region)) partition by list (region);
  create table spelled (id int primary key, day date not null default ('now'::text)::date, part text default substring('abc' from 2 for 1),
    at timestamp default (now() at time zone 'utc'), v varchar(5) not null default 'x', n numeric default -1);
  create table parent (id int primary key); create table quiet (id int primary key, parent int, v text)`;

beforeAll(async () => {
  site = await openSite({ majors: [12, 18], schema: SCHEMA });
  await source().query(`
    create table reordered (id int primary key, a text not null default 'a', b int);
    create table fits (id int primary key, small varchar(20), n integer, num numeric(8,2), c char(3));
    create table parts_eu partition of parts for values in ('EU'); create table parts_us partition of parts for values in ('US', 'CA');
    ${EXOTIC.map(fill).join("\n")}`);
  await target().query(`
    create table reordered (b int, extra text default 'ours', id int primary key, more int, a text);
    create table fits (id bigint primary key, small text, n bigint, num numeric, c text);
    create table parts_all partition of parts default;
    create table nowhere (id int primary key); create table noise (what text);
    alter table quiet add foreign key (parent) references nowhere;
    create function cry() returns trigger language plpgsql as $$ begin insert into noise values (tg_op); return new; end $$;
    create trigger cry before insert or update or delete on quiet for each row execute function cry();
    create rule cry as on insert to quiet do also insert into noise values ('rule'); create rule cry2 as on delete to quiet do also insert into noise values ('rule')`);
  for (const name of ["A", "B"]) await site.ok(`add db ${name} $${name}`);
  await site.ok("add all tables db=A relgroup=rows -T reordered,fits,spelled");
  await site.ok("add sync rows relgroup=rows dbs=A:source,B:target autokick=off onetimecopy=1");
  daemon = await startDaemon(site);
  await site.ok("kick rows 0");
}, 90_000);

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

async function kickAndCompare(...tables: string[]): Promise<void> {
  await site.ok("kick rows 0");
  expect(await equalTables(source(), target(), tables)).toEqual([]);
}

// proves: 6.3/capture
test("each kind of change arrives, and what is written first and committed last too", async () => {
  await source().query("insert into captured select n, 'new' from generate_series(1, 9) n");
  await source().query("update captured set v = 'changed' where id < 4; delete from captured where id = 9");
  const slow = await source().client();
  await slow.query(
    "begin; insert into captured values (100, 'written first'); update captured set v = 'late' where id = 5; delete from captured where id = 6",
  );
  await source().query("insert into captured values (101, 'written last')");
  await site.ok("kick rows 0");
  expect((await target().query<{ id: number }>("select id from captured where id > 99 or id = 6 order by id")).map(({ id }) => id)).toEqual(
    [6, 101],
  );
  await slow.query("commit");
  await kickAndCompare("captured");
  expect(await target().one("select count(*)::int as rows from captured")).toEqual({ rows: 9 });
});

// proves: 6.3/key-update, 6.3/swapped-unique
test("keys change, also in a circle, and unique values change places within a run", async () => {
  await source().query(
    "insert into moved select n, 'b' || n, 'row ' || n from generate_series(1, 6) n; insert into swapped select n, 'code ' || n, n from generate_series(1, 6) n",
  );
  await kickAndCompare("moved", "swapped");
  await source()
    .query(`update moved set a = 100 where a = 1; update moved set b = 'other' where a = 2; update moved set a = -a where a in (3, 4);
    update moved set a = 4, b = 'b4' where a = -3; update moved set a = 3, b = 'b3' where a = -4 and b = 'b4' and v = 'row 4'`);
  await source()
    .query(`update swapped set code = 'free', place = null where id = 1; update swapped set code = 'code 1', place = 1 where id = 2;
    update swapped set code = 'code 2', place = 2 where id = 3; update swapped set code = 'code 3', place = 3 where id = 1;
    delete from swapped where id = 5; insert into swapped values (50, 'code 5', 5); update swapped set id = 60 where id = 6; insert into swapped values (6, 'new', 66)`);
  await kickAndCompare("moved", "swapped");
  expect(await target().query("select v from moved where a in (3, 4) order by a")).toEqual([{ v: "row 4" }, { v: "row 3" }]);
  expect(await target().one("select string_agg(code, ',' order by id) as codes from swapped where id < 4")).toEqual({
    codes: "code 3,code 1,code 2",
  });
});

// proves: 6.3/columns-tolerated, 6.3/type-tolerance
test("another order of columns, extra ones and other types are told; not strict, they are taken", async () => {
  await site.ok("add table reordered fits db=A relgroup=loose");
  const { code, err } = await site.run("add sync loose relgroup=loose dbs=A:source,B:target autokick=off");
  expect(code).toBe(1);
  expect(err).toMatch(/public\.reordered: .*order/);
  expect(err).toContain("extra");
  expect(err).not.toContain("error: B: public.fits");
  await site.ok("update table reordered strict_checking=off");
  await site.ok("add sync loose relgroup=loose dbs=A:source,B:target autokick=off");
  await source().query(
    "insert into reordered values (1, 'one', 10), (2, 'two', null); insert into fits values (1, 'short', 7, 1.5, 'c'), (2, null, null, null, null)",
  );
  await site.ok("kick loose 0");
  await source().query("update reordered set a = 'changed' where id = 1; update fits set n = 2147483647, id = 3 where id = 2");
  await site.ok("kick loose 0");
  expect(await target().query("select id, a, b, extra, more from reordered order by id")).toEqual([
    { id: 1, a: "changed", b: 10, extra: "ours", more: null },
    { id: 2, a: "two", b: null, extra: "ours", more: null },
  ]);
  const fits = "select id::text, small, n::text, num::text, rtrim(c) as c from fits order by id";
  expect(await target().query(fits)).toEqual(await source().query(fits));
  expect(await site.ok("compare loose")).toContain("public.fits: equal");
});

// proves: 6.3/default-not-null
test("DEFAULT and NOT NULL are the same where only the server's spelling differs, and told where they are not", async () => {
  await site.ok("add sync spelled tables=spelled dbs=A:source,B:target autokick=off");
  const spelled = (database: TestDatabase) =>
    database.one<{ text: string }>(
      "select string_agg(pg_get_expr(adbin, adrelid), ' ' order by adnum) as text from pg_attrdef where adrelid = 'spelled'::regclass",
    );
  expect((await spelled(source())).text).not.toBe((await spelled(target())).text);
  expect(await site.ok("validate spelled")).toBe("Validating sync spelled ... OK\n");
  await target().query("alter table spelled alter n set default 2, alter part set not null");
  const { code, out } = await site.run("validate spelled");
  expect(code).toBe(1);
  expect(out).toMatch(/error: B: public\.spelled: .*\bn\b.*default/i);
  expect(out).toMatch(/error: B: public\.spelled: .*part.*NOT NULL/);
  await site.ok("update sync spelled strict_checking=off");
  expect(await site.ok("validate spelled")).toMatch(/OK\n +warning: B: public\.spelled/);
});

// proves: 6.3/generated-identity, 6.3/partitioned
test("identity columns keep their values, generated ones are computed there; partitioned tables go through their roots", async () => {
  await source().query(
    "insert into computed (v) select n from generate_series(1, 5) n; insert into computed overriding system value values (100, 7)",
  );
  await source().query(
    "insert into parts select n, case n % 3 when 0 then 'EU' when 1 then 'US' else 'CA' end, 'row ' || n from generate_series(1, 12) n",
  );
  await kickAndCompare("computed", "parts");
  await source().query(`update computed set v = v + 1 where id in (2, 100); delete from computed where id = 3;
    update parts set region = 'EU' where id = 1; update parts set v = 'changed' where region = 'CA'; delete from parts_eu where id = 3`);
  await kickAndCompare("computed", "parts");
  await source().query("truncate parts_us");
  await kickAndCompare("parts");
  expect(await target().one("select count(*)::int as rows from parts_all")).toEqual({ rows: 4 });
});

// proves: 6.3/exotic-keys
test("keys of any type and any name: updates and deletes find their rows", async () => {
  expect(await equalTables(source(), target(), EXOTIC)).toEqual([]);
  for (const [index, table] of EXOTIC.entries()) {
    const [, second, third] = Object.values(KEYS)[index]!;
    await source().query(`update ${table} set v = 'changed' where v = 'row 0'; delete from ${table} where v <> 'changed'`);
    await source().query(
      `insert into ${table} values (${third}, 'again'); update ${table} set "Key ${index} ключ" = ${second} where v = 'again'`,
    );
  }
  await kickAndCompare(...EXOTIC);
  for (const table of EXOTIC) expect(await target().query(`select v from ${table} order by v`)).toEqual([{ v: "again" }, { v: "changed" }]);
});

// proves: 6.3/silent-triggers
test("triggers, rules and foreign keys of the target are silent, and awake for everybody else", async () => {
  await source().query("insert into quiet select n, n, 'row' from generate_series(1, 5) n");
  await site.ok("kick rows 0");
  await source().query("update quiet set v = 'changed' where id = 2; delete from quiet where id = 3");
  await kickAndCompare("quiet");
  expect(await target().query("select what from noise")).toEqual([]);
  await expect(target().query("insert into quiet values (99, 99, 'refused')")).rejects.toThrow("foreign key");
  await target().query("update quiet set v = 'by hand', parent = null where id = 1");
  expect(await target().query("select what from noise")).toEqual([{ what: "UPDATE" }]);
});

// proves: 6.3/encodings
test("text of another encoding, times, floats and bytes arrive as they are, whatever the databases' settings", async () => {
  await using old = await createDatabase(await sharedServer(12), { encoding: "LATIN1" });
  await using fresh = await createDatabase(await sharedServer(18));
  const schema = `create table value (id int primary key, t text, at timestamptz, local timestamp, day date, span interval, f float8, g float4, b bytea, m money);`;
  for (const [database, words] of [
    [
      old,
      "datestyle = 'German'; timezone = 'Asia/Tokyo'; extra_float_digits = 0; intervalstyle = 'sql_standard'; bytea_output = 'escape'; lc_monetary = 'C'",
    ],
    [
      fresh,
      "datestyle = 'SQL, DMY'; timezone = 'America/New_York'; intervalstyle = 'iso_8601'; client_encoding = 'LATIN2'; lc_monetary = 'C'",
    ],
  ] as const) {
    for (const word of words.split("; ")) await database.query(`alter database "${database.name}" set ${word}`);
    await database.closeClients();
    await database.query(schema);
  }
  const keys = ({ name, server }: TestDatabase): string => `dbname=${name} host=${server.host} port=${server.port} user=postgres`;
  await site.ok(`add db Old ${keys(old)}`);
  await site.ok(`add db Fresh ${keys(fresh)}`);
  await old.query(
    `insert into value values (1, 'before', '2024-03-31 02:30+01', '2024-02-01 03:04:05.678901', '2024-02-01', '-1 day 02:03:04.5', 0.1::float8 + 0.2, 0.1, '\\x00ff5c', '-12.34')`,
  );
  await site.ok("add sync value tables=value dbs=Old:source,Fresh:target onetimecopy=1 autokick=off");
  await site.ok("kick value 0");
  expect(await equalTables(old, fresh, ["value"])).toEqual([]);
  await old.query(
    `insert into value values (2, 'Grüße ÿ¡', '1883-11-18 12:03:58-05', 'infinity', '0044-03-15 BC', '1 year -2 mons', 1e-300, 16777217, 'a\\000b', '0'); update value set t = 'Ä', f = pi() where id = 1`,
  );
  await site.ok("kick value 0");
  expect(await equalTables(old, fresh, ["value"])).toEqual([]);
  expect(await fresh.one("select t, f = pi() as exact from value where id = 1")).toEqual({ t: "Ä", exact: true });
  await site.ok("remove sync value");
});
