import { expect, test } from "vitest";
import { openCopyRig } from "./rig.ts";

const schema = `
  create type mood as enum ('sad', 'ok', 'glad');
  create domain positive as int check (value > 0);
  create schema "Odd ""Schema""";
  create table "Odd ""Schema"""."a.b ""c""" ("Key.One" text, "select" date, "with space" text[], primary key ("Key.One", "select"));
  create table texts (id text primary key, t text);
  create table uuids (id uuid primary key, v int);
  create table moods (a mood, b positive, c numeric, primary key (a, b, c));
  create table bytes (id bytea primary key, "time" timestamptz);
  create table identities (id int generated always as identity primary key, v int);
  create unlogged table unlogged (id int primary key);
  create table nothing ();
  create table keyless (a int, b text);
  create table parent (id int primary key, t text);
  create table child (more text, primary key (id)) inherits (parent);
  create table types (id int primary key, ip inet, i interval, m money, r int4range, x xml, b bit(3), j jsonb, p point, ts tsvector, ar numeric[], e mood[]);
  create table secured (id int primary key, who text); alter table secured enable row level security; alter table secured force row level security;
  create table guarded (id int primary key); create function refuse() returns trigger language plpgsql as 'begin return null; end';
  create trigger refuse before insert on guarded for each row execute procedure refuse();
  create table huge (id int primary key, t text);
  create table p (id int not null, day int not null) partition by list (day);
  create table p1 partition of p (primary key (id, day)) for values in (1); create table p2 partition of p (primary key (id, day)) for values in (2);`;

/** Before 12 nothing is generated. */
const generated = "create table generated (id int primary key, a int, twice int generated always as (a * 2) stored)";

const tables = [
  'Odd "Schema".a.b "c"',
  "texts",
  "uuids",
  "moods",
  "bytes",
  "identities",
  "unlogged",
  "nothing",
  "keyless",
  "parent",
  "child",
  "types",
  "secured",
  "guarded",
  "huge",
  "p",
];

const fill = `
  insert into "Odd ""Schema"""."a.b ""c""" select chr(65 + g % 50) || '''\\ ' || g, date '2020-01-01' + g, array['x', null, g::text] from generate_series(1, 1500) g;
  insert into texts select (array['ä', 'Ä', 'a', 'b ', '_', '-'])[g % 6 + 1] || md5(g::text), repeat('é', 50) from generate_series(1, 3000) g;
  insert into uuids select md5(g::text)::uuid, g from generate_series(1, 4000) g;
  insert into moods select (array['sad', 'ok', 'glad'])[g % 3 + 1]::mood, g % 10 + 1, g / 7.0 from generate_series(1, 3000) g;
  insert into bytes select decode(md5(g::text), 'hex'), 'epoch'::timestamptz + g * interval '1 hour' from generate_series(1, 3000) g;
  insert into identities (v) select g from generate_series(1, 10) g;
  insert into unlogged select g from generate_series(1, 3000) g;
  insert into nothing default values; insert into nothing default values;
  insert into keyless select g % 7, null from generate_series(1, 5000) g;
  insert into parent select g, 'parent' from generate_series(1, 2000) g; insert into child select g, 'child', 'more' from generate_series(3001, 5000) g;
  insert into types select g, '10.0.0.1', '1 day 2 hours', 12.5, '[1,5)', '<a/>', b'101', '{"a": 1}', '(1,2)', 'a b', '{1.5,null}', '{sad,glad}' from generate_series(1, 500) g;
  insert into secured select g, 'me' from generate_series(1, 500) g;
  alter table guarded disable trigger refuse; insert into guarded select g from generate_series(1, 10) g; alter table guarded enable trigger refuse;
  insert into huge select g, repeat(md5(g::text), 20000) from generate_series(1, 4) g;
  insert into p select g, g % 2 + 1 from generate_series(1, 6000) g;`;

test.for([
  [10, 18],
  [18, 14],
  [13, 17],
] as const)(
  "odd names, all kinds of keys and types, partitions, children, rules of who may read: %i to %i",
  { timeout: 120_000 },
  async (majors) => {
    const [from] = majors;
    await using rig = await openCopyRig({
      majors,
      schema: from >= 12 ? `${schema}; ${generated}` : schema,
      tables: from >= 12 ? [...tables, "generated"] : tables,
    });
    await rig.source.query(fill);
    if (from >= 12) await rig.source.query("insert into generated (id, a) select g, g from generate_series(1, 500) g");
    await rig.copy({ jobs: 3, pieceBytes: 48 * 1024 });
    const direct = (await rig.differences()).filter(
      (line) => !line.startsWith('"public"."nothing"') && !line.startsWith('"public"."parent"'),
    );
    expect(direct).toEqual([]);
    for (const side of [rig.source, rig.target]) {
      expect(
        await side.one("select (select count(*) from nothing)::int as nothing, (select count(*) from only parent)::int as parent"),
      ).toEqual({ nothing: 2, parent: 2000 });
    }
    const cut = await rig.source.query<{ name: string }>(
      "select table_name as name from bucardo.copy_table t where (select count(*) from bucardo.copy_piece where copy_table = t.id) > 3",
    );
    expect(cut.map((row) => row.name)).toEqual(expect.arrayContaining(["texts", "uuids", "moods", "bytes", "p"]));
    await rig.source.query(
      "update texts set t = 'changed' where id < 'b'; delete from uuids where v % 9 = 0; insert into identities (v) values (7)",
    );
    await rig.rig.run();
    expect((await rig.differences()).filter((line) => !line.startsWith('"public"."nothing"'))).toEqual([]);
  },
);

test("an owner who may not be a replica copies too, and is told of a trigger that would fire", async () => {
  const plain = "create table t (id int primary key, v int); create table other (id int primary key)";
  await using rig = await openCopyRig({ schema: plain, tables: ["t", "other"] });
  await rig.source.query("insert into t select g, g from generate_series(1, 3000) g; insert into other values (1)");
  const role = `owner_${rig.target.name}`;
  await rig.target.query(
    `create role ${role} login; alter table t owner to ${role}; alter table other owner to ${role}; grant temporary on database ${rig.target.name} to ${role}`,
  );
  try {
    const openTarget = async () => {
      const session = await rig.options().openTarget();
      await session.script({ name: "test.become", text: `set session authorization ${role}` });
      return session;
    };
    await rig.target.query(
      `create function f() returns trigger language plpgsql as 'begin return null; end'; create trigger stays before insert on t for each row execute procedure f()`,
    );
    await expect(rig.copy({ openTarget })).rejects.toMatchObject({ code: "schema-mismatch", details: { table: "public.t" } });
    await rig.target.query("drop trigger stays on t");
    await rig.copy({ openTarget, pieceBytes: 16 * 1024 });
    expect(await rig.differences()).toEqual([]);
  } finally {
    await rig.target.query(`reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`);
  }
});

test("a table with a foreign partition is refused: emptying it would reach into another server", async () => {
  const foreign = `create table p (id int not null, day int not null) partition by list (day); create table p1 partition of p (primary key (id, day)) for values in (1);`;
  await using rig = await openCopyRig({ schema: foreign, tables: ["p"] });
  await rig.target.query(
    "create foreign data wrapper w; create server s foreign data wrapper w; create foreign table p2 partition of p for values in (2) server s",
  );
  await expect(rig.copy()).rejects.toMatchObject({
    code: "schema-mismatch",
    details: { table: "public.p", problems: [{ what: "has foreign partitions (public.p2), whose rows are another server's" }] },
  });
});
