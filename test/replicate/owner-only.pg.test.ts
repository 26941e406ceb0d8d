import { randomBytes } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { installCapture } from "../../src/capture/install.ts";
import { purge } from "../../src/capture/purge.ts";
import { releaseSync } from "../../src/capture/release.ts";
import { connect } from "../../src/postgres/connect.ts";
import { run } from "../../src/replicate/run.ts";
import type { Major } from "../harness/binaries.ts";
import { onServer } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { openRig, openSession, type RigOptions } from "./rig.ts";

// Roles belong to the whole server, which other files use too.
const role = `owner_${randomBytes(4).toString("hex")}`;
const servers = new Set<Major>();

afterAll(async () => {
  for (const major of servers) {
    await onServer(await sharedServer(major), async (admin) => {
      if (major >= 15) await admin.query(`revoke set on parameter session_replication_role from ${role}`);
      await admin.query(`drop role ${role}`);
    });
  }
});

/** A rig whose target is reached as a user who owns the tables and nothing else. */
async function openOwned(options: RigOptions, rights = "") {
  const major = options.majors![1];
  if (!servers.has(major)) {
    await onServer(await sharedServer(major), (admin) => admin.query(`create role ${role} login`));
    servers.add(major);
  }
  const rig = await openRig(options);
  await rig.target.query(`grant all on schema public to ${role}; ${rights}`);
  const owned = await rig.target.query<{ text: string }>(
    `select format('alter %s %I.%I owner to ${role}', case relkind when 'S' then 'sequence' else 'table' end, relnamespace::regnamespace, relname) as text
       from pg_class c where relnamespace = 'public'::regnamespace and (relkind in ('r', 'p') or relkind = 'S' and not exists (select from pg_depend where objid = c.oid and deptype in ('a', 'i')))`,
  );
  await rig.target.query(owned.map(({ text }) => text).join("; "));
  const { host, port, database } = rig.target.connection;
  const target = await connect({ name: "target", host, port, user: role, dbname: database });
  const source = await openSession(rig.source, "source");
  return {
    rig,
    run: (change = {}) =>
      run({
        definition: rig.definition(change),
        source,
        target,
        signal: new AbortController().signal,
        onProgress: () => {},
        remembered: null,
      }),
    async [Symbol.asyncDispose]() {
      await source.close();
      await target.close();
      await rig[Symbol.asyncDispose]();
    },
  };
}

const family = `
  create table leaf (id int primary key, branch int, v text);
  create table branch (id int primary key, root int, code text unique, v text);
  create table root (id int primary key, above int references root, v text);
  alter table branch add foreign key (root) references root on delete cascade on update cascade;
  alter table leaf add foreign key (branch) references branch on delete set null on update cascade;
  create table strict (id int primary key, branch text references branch (code) on update cascade);
  create sequence counter`;

test.for([
  [12, 18],
  [15, 10],
] as const)("an owner of the tables follows from %i to %i with foreign keys awake", async ([from, to]) => {
  await using owned = await openOwned({
    majors: [from, to],
    schema: family,
    tables: ["leaf", "branch", "strict", "root"],
    sequences: ["counter"],
  });
  const { rig } = owned;
  for (const text of [
    `insert into root values (1, null, 'r'), (2, 1, 'r'), (3, 2, 'r'); insert into branch select i, i % 3 + 1, 'c' || i, 'b' from generate_series(1, 9) i;
     insert into leaf select i, i % 9 + 1, 'l' from generate_series(1, 30) i; insert into strict select i, 'c' || i from generate_series(1, 9) i; select nextval('counter')`,
    // a parent that is only updated keeps its children
    "update root set v = 'changed'; update branch set v = 'changed' where id < 4",
    "update root set above = null where id = 2; delete from leaf where branch = 4; delete from strict where branch = 'c4'; delete from branch where id = 4",
    // keys of parents that children follow
    "update branch set code = code || '!' where id < 3; update branch set id = id + 100, code = code || '?' where id in (5, 6)",
    // a unique value that a deleted row leaves to another
    "delete from strict where branch = 'c7'; delete from leaf where branch = 7; delete from branch where id = 7; insert into branch values (77, 1, 'c7', 'heir')",
    "truncate leaf; insert into leaf values (1, 1, 'after'); delete from branch where root = 3 and id not in (select id from leaf) and code not in (select branch from strict)",
    "truncate root cascade; insert into root values (9, 9, 'itself'); select setval('counter', 500)",
  ]) {
    await rig.source.query(text);
    expect((await owned.run()).outcome).toBe("good");
    expect({ text, differences: await rig.differences() }).toEqual({ text, differences: [] });
  }
  await rig.source.query("insert into branch values (1, 9, 'x', 'y'); insert into leaf values (1, 1, 'z')");
  await owned.run({ onetimecopy: 1 });
  expect(await rig.differences()).toEqual([]);
});

test("a circle of foreign keys goes where it is deferrable, and is refused with advice where it is not", async () => {
  const circle = (deferrable: string) =>
    `create table a (id int primary key, b int); create table b (id int primary key, a int references a ${deferrable}); alter table a add foreign key (b) references b ${deferrable}`;
  await using owned = await openOwned({ majors: [15, 12], schema: circle("deferrable"), tables: ["a", "b"] });
  const { rig } = owned;
  for (const text of [
    "begin; set constraints all deferred; insert into a values (1, 1); insert into b values (1, 1); commit",
    "begin; set constraints all deferred; update a set id = 2, b = 2; update b set id = 2, a = 2; commit",
  ]) {
    await rig.source.query(text);
    await owned.run();
    expect(await rig.differences()).toEqual([]);
  }
  await rig.target.query("alter table a alter constraint a_b_fkey not deferrable; alter table b alter constraint b_a_fkey not deferrable");
  await rig.source.query("begin; set constraints all deferred; insert into a values (7, 7); insert into b values (7, 7); commit");
  await expect(owned.run()).rejects.toMatchObject({
    code: "data-rejected",
    details: { sqlstate: "23503", advice: expect.stringContaining("session_replication_role") as string },
  });
});

test("values that change places are refused with advice, and nothing changes", async () => {
  const schema = "create table t (id int primary key, v int unique)";
  await using owned = await openOwned({ majors: [15, 15], schema, tables: ["t"] });
  await owned.rig.source.query("insert into t values (1, 1), (2, 2)");
  await owned.run();
  await owned.rig.source.query("update t set v = -1 where id = 1; update t set v = 1 where id = 2; update t set v = 2 where id = 1");
  await expect(owned.run()).rejects.toMatchObject({
    code: "data-rejected",
    details: { table: "public.t", sqlstate: "23505", advice: expect.stringContaining("session_replication_role") as string },
  });
  expect(await owned.rig.target.query("select * from t order by id")).toEqual([
    { id: 1, v: 1 },
    { id: 2, v: 2 },
  ]);
});

test("a refused row is named by its key, or set aside with those that refer to it; what it refers to later lets it go", async () => {
  const schema =
    "create table parent (id int primary key, v text); create table child (id int primary key, parent int references parent, v text); create table other (id int primary key)";
  const target = schema.replace("parent (id int primary key, v text)", "parent (id int primary key, v text check (v <> 'SECRET'))");
  await using owned = await openOwned({
    majors: [15, 15],
    schema,
    targetSchema: target,
    tables: ["other", "child", "parent"],
    strict: false,
  });
  const { rig } = owned;
  await rig.source.query(
    "insert into parent values (1, 'fine'), (2, 'SECRET'); insert into child values (10, 1, 'x'), (20, 2, 'x'); insert into other values (5)",
  );
  await expect(owned.run()).rejects.toMatchObject({
    code: "data-rejected",
    details: { table: "public.parent", key: "id=2", sqlstate: "23514" },
  });
  await owned.run({ onError: "set_aside" });
  expect(await rig.source.query("select key[1] as key, sqlstate from bucardo.set_aside order by 1")).toEqual([
    { key: "2", sqlstate: "23514" },
    { key: "20", sqlstate: "23503" },
  ]);
  expect(
    await rig.target.query(
      "select (select count(*)::int from parent) p, (select count(*)::int from child) c, (select count(*)::int from other) o",
    ),
  ).toEqual([{ p: 1, c: 1, o: 1 }]);
  // Somebody on the target refers to a row that goes on the source.
  await rig.target.query("insert into child values (99, 1, 'of the target')");
  await rig.source.query("delete from child where id = 10; delete from parent where id = 1");
  await expect(owned.run()).rejects.toMatchObject({
    code: "data-rejected",
    details: { table: "public.parent", key: "id=1", sqlstate: "23503" },
  });
  await rig.target.query("delete from child where id = 99; alter table parent drop constraint parent_v_check");
  await rig.source.query("update bucardo.set_aside set replay = true");
  await owned.run();
  expect(await rig.source.query("select from bucardo.set_aside")).toEqual([]);
  expect(await rig.differences()).toEqual([]);
});

const fires = "create function f() returns trigger language plpgsql as $$ begin raise exception 'awake'; end $$;";

test.for([
  [
    "a trigger that would fire",
    `${fires} create trigger loud before insert on t for each row execute procedure f()`,
    "loud",
    "alter table t disable trigger loud",
  ],
  ["a rule", "create rule also as on insert to t do also select 1", "also", "drop rule also on t"],
  [
    "a deferrable key",
    "alter table t drop constraint t_pkey; alter table t add constraint later primary key (id) deferrable",
    "unique index",
    "alter table t drop constraint later; alter table t add primary key (id)",
  ],
  [
    "row level security that is forced",
    "alter table t enable row level security; alter table t force row level security",
    "row level security",
    "alter table t no force row level security",
  ],
] as const)("%s is refused with a remedy before anything moves", async ([, change, name, mend]) => {
  await using owned = await openOwned({ majors: [15, 15], schema: "create table t (id int primary key, v text)", tables: ["t"] });
  await owned.rig.target.query(change);
  await owned.rig.source.query("insert into t values (1, 'one')");
  await expect(owned.run()).rejects.toMatchObject({
    message: expect.stringContaining(name) as string,
    details: { table: "public.t", advice: expect.stringMatching(/./) as string },
  });
  expect(await owned.rig.target.query("select * from t")).toEqual([]);
  await owned.rig.target.query(mend);
  await owned.run();
  expect(await owned.rig.differences()).toEqual([]);
});

test("from 15 on the right to set session_replication_role makes triggers and foreign keys silent", async () => {
  const schema = "create table a (id int primary key); create table t (id int primary key, v int unique, a int references a)";
  await using owned = await openOwned(
    { majors: [12, 15], schema, tables: ["t", "a"] },
    `grant set on parameter session_replication_role to ${role}`,
  );
  await owned.rig.target.query(`${fires} create trigger loud before insert or update or delete on t for each row execute procedure f()`);
  await owned.rig.source.query("insert into a values (1); insert into t values (1, 1, 1), (2, 2, 1)");
  await owned.run();
  await owned.rig.source.query("update t set v = -1 where id = 1; update t set v = 1 where id = 2; update t set v = 2 where id = 1");
  await owned.run();
  expect(await owned.rig.differences()).toEqual([]);
});

test.for([
  [10, 18],
  [18, 12],
] as const)("a source (%i) whose user owns the tables and may create a schema, and no more (to %i)", async ([from, to]) => {
  const owner = `source_${randomBytes(4).toString("hex")}`;
  const writer = `writer_${randomBytes(4).toString("hex")}`;
  await using rig = await openRig({
    majors: [from, to],
    schema: "create table t (id int primary key, v text); create table m (id int, at date, primary key (at, id)); create sequence q",
    tables: [],
    capture: false,
  });
  await rig.source.query(
    `create role ${owner} login; create role ${writer} login; grant create on database "${rig.source.name}" to ${owner}; grant usage, create on schema public to ${owner};
     alter table t owner to ${owner}; alter table m owner to ${owner}; alter sequence q owner to ${owner}; grant all on t, m to ${writer}`,
  );
  const { host, port, database } = rig.source.connection;
  try {
    await using source = await connect({ name: "source", host, port, user: owner, dbname: database });
    await using target = await openSession(rig.target, "target");
    const relations = [
      { kind: "table", name: { schema: "public", name: "t" }, key: ["id"] },
      { kind: "table", name: { schema: "public", name: "m" }, key: ["at", "id"] },
      { kind: "sequence", name: { schema: "public", name: "q" }, key: null },
    ] as const;
    await installCapture(source, {
      sync: { id: rig.syncId, name: "rig" },
      installation: rig.installation,
      targets: ["target"],
      relations: relations.map((relation) => ({ ...relation, autokick: true })),
    });
    const client = await rig.source.client({ user: writer });
    for (const text of [
      "insert into t values (1, 'one'), (2, 'two'); insert into m values (1, '2024-01-01')",
      "update t set id = 3 where id = 1; delete from t where id = 2; update m set id = 2",
      "truncate t; insert into t values (4, 'four')",
    ]) {
      await client.query(text);
      await run({
        definition: rig.definition({ relations }),
        source,
        target,
        signal: new AbortController().signal,
        onProgress: () => {},
        remembered: null,
      });
      expect({ text, differences: await equalTables(rig.source, rig.target, ["t", "m"]) }).toEqual({ text, differences: [] });
    }
    await client.end();
    await purge(source, { rotateBytes: 1 });
    await releaseSync(source, rig.syncId);
    expect(await rig.source.query("select from pg_namespace where nspname = 'bucardo'")).toEqual([]);
  } finally {
    await rig.source.query(`drop owned by ${owner}, ${writer} cascade; drop role ${owner}, ${writer}`);
  }
});
