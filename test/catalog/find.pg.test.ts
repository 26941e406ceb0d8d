import { expect, test } from "vitest";
import { findRelations } from "../../src/catalog/find.ts";
import { compareDatabases, readDatabaseFacts } from "../../src/catalog/database.ts";
import { compareSequences } from "../../src/catalog/compare-sequence.ts";
import { checkSourceDatabase, checkTargetDatabase } from "../../src/catalog/privilege.ts";
import { readSequences } from "../../src/catalog/sequence.ts";
import { openDatabase, openSession } from "./open.ts";

test.for([10, 18] as const)(
  "%i: wildcards offer tables, partitioned roots and sequences, not leaves, views or what is ours or the system's",
  async (major) => {
    await using opened = await openDatabase(
      major,
      `create schema bucardo; create table bucardo.delta (a int); create schema s; create table s."Odd Name" (a int);
     create table t (id serial primary key); create table child () inherits (t); create view v as select 1; create temp table tmp (a int);
     create table u (a int unique, b int not null); create unique index on u (b) where a > 0; create table d (a int not null unique deferrable, b int primary key deferrable);
     create table p (a int not null) partition by range (a); create table leaf partition of p for values from (0) to (1)`,
    );
    const everything = await findRelations(opened.session, ["*"]);
    expect(everything.found.map(({ schema, name, kind, keyed }) => `${schema}.${name} ${kind} ${keyed}`)).toEqual([
      "public.child table false",
      "public.d table true",
      "public.p table false",
      "public.t table true",
      "public.t_id_seq sequence false",
      "public.u table false",
      "s.Odd Name table false",
    ]);
    const named = await findRelations(opened.session, ["leaf", "odd name", "public.tt", "pg_class"]);
    expect(named.found).toEqual([{ schema: "public", name: "leaf", kind: "table", partition: true, keyed: false }]);
    expect(named.unmatched).toEqual([
      { pattern: "odd name", nearest: "Odd Name" },
      { pattern: "public.tt", nearest: "public.t" },
      { pattern: "pg_class", nearest: null },
    ]);
  },
);

test.for([10, 18] as const)("%i: sequences are read with their limits beyond what numbers of JavaScript hold", async (major) => {
  await using opened = await openDatabase(
    major,
    `create sequence "Seq é" as smallint increment -2 minvalue -100 maxvalue 5 start 3 cycle cache 7; create table t (id bigserial, g int generated always as identity)`,
  );
  const sequences = await readSequences(
    opened.session,
    ["Seq é", "t_id_seq", "t_g_seq", "t", "none"].map((name) => ({ schema: "public", name })),
  );
  expect([...sequences.keys()].toSorted((one, other) => one.localeCompare(other))).toEqual([
    "public.Seq é",
    "public.t_g_seq",
    "public.t_id_seq",
  ]);
  expect(sequences.get("public.Seq é")).toMatchObject({
    dataType: "smallint",
    start: "3",
    increment: "-2",
    min: "-100",
    max: "5",
    cache: "7",
    cycle: true,
    ownedBy: null,
    persistence: "p",
  });
  expect(sequences.get("public.t_id_seq")).toMatchObject({ dataType: "bigint", max: "9223372036854775807", ownedBy: "public.t.id" });
  expect(sequences.get("public.t_g_seq")).toMatchObject({ dataType: "integer", ownedBy: "public.t.g" });
});

test("a sequence of a smaller type is refused; other attributes only where our user may not alter them", async () => {
  await using source = await openDatabase(12, "create sequence s; create sequence t increment 2");
  await using target = await openDatabase(18, "create sequence s as integer; create sequence t");
  const names = ["s", "t"].map((name) => ({ schema: "public", name }));
  const [here, there] = [await readSequences(source.session, names), await readSequences(target.session, names)];
  const problems = (name: string, strict: boolean, owner: boolean): string[] => {
    const other = there.get(name);
    const seen = other && { ...other, privileges: { ...other.privileges, owner } };
    return compareSequences(here.get(name)!, seen, { strict, db: "B" }).map(({ grade, what, remedy }) => `${grade}: ${what} / ${remedy}`);
  };
  expect(problems("public.s", false, true)).toEqual([
    'error: the sequence goes from 1 to 9223372036854775807 on the source, which its type integer on B cannot hold / On B: alter sequence "public"."s" as bigint;',
  ]);
  expect(problems("public.t", true, true)).toEqual([]);
  expect(problems("public.t", true, false)).toEqual([
    "error: increment is 2 on the source and 1 on B, and our user may not alter the sequence / Make both sequences equal, or let our user own it.",
  ]);
  expect(compareSequences(here.get("public.t")!, undefined, { strict: true, db: "B", hint: "x.t" })[0]!.what).toBe(
    "the sequence does not exist on B; x.t does",
  );
});

test.for([10, 18] as const)("%i: what a user lacks is told with the grant that mends it, and the grant does", async (major) => {
  await using opened = await openDatabase(major, "create sequence s; revoke all on schema public from public");
  const { name } = opened.database;
  const role = `u_${name}`;
  await opened.database.query(
    `revoke all on database ${name} from public; create role ${role} login; grant connect on database ${name} to ${role}`,
  );
  try {
    await using session = await openSession(opened.database, role);
    const look = async (): Promise<string[]> => {
      const facts = await readDatabaseFacts(session);
      expect(facts).toMatchObject({ db: `pg${major}`, name, user: role, inRecovery: false, encoding: "UTF8" });
      const sequence = (await readSequences(session, [{ schema: "public", name: "s" }])).get("public.s")!;
      return [
        ...checkSourceDatabase(facts),
        ...checkTargetDatabase(facts),
        ...compareSequences(sequence, sequence, { strict: true, db: session.name }),
      ].map(({ remedy }) => remedy);
    };
    const remedies = await look();
    expect(remedies).toEqual([
      `On pg${major}: grant create on database "${name}" to "${role}"; or: create schema bucardo authorization "${role}";`,
      `On pg${major}: grant temporary on database "${name}" to "${role}";`,
      major < 15
        ? `On pg${major}: alter role "${role}" superuser; (from PostgreSQL 15 on a grant is enough)`
        : `On pg${major}: grant set on parameter session_replication_role to "${role}";`,
      `On pg${major}: grant usage on schema "public" to "${role}";`,
      `On pg${major}: grant select, update on sequence "public"."s" to "${role}";`,
    ]);
    for (const remedy of remedies) await opened.database.query(remedy.slice(remedy.indexOf(": ") + 2).replace(/;.*$/s, ""));
    expect(await look()).toEqual([]);
  } finally {
    await opened.database.query(`drop owned by ${role}; drop role ${role}`);
  }
});

test("a foreign schema bucardo is an obstacle", async () => {
  await using opened = await openDatabase(18, "create schema bucardo");
  const role = `u_${opened.database.name}`;
  await opened.database.query(`create role ${role} login; grant create on database ${opened.database.name} to ${role}`);
  try {
    await using session = await openSession(opened.database, role);
    expect(checkSourceDatabase(await readDatabaseFacts(session)).map(({ what }) => what)).toEqual([
      `the schema bucardo belongs to postgres and ${role} may not create in it`,
    ]);
  } finally {
    await opened.database.query(`drop owned by ${role}; drop role ${role}`);
  }
});

test("encodings that cannot hold each other's text are warned of", async () => {
  await using ascii = await openDatabase(12, "", { encoding: "SQL_ASCII" });
  await using latin = await openDatabase(12, "", { encoding: "LATIN1" });
  await using utf8 = await openDatabase(18);
  const [a, l, u] = [await readDatabaseFacts(ascii.session), await readDatabaseFacts(latin.session), await readDatabaseFacts(utf8.session)];
  const grades = (source: typeof a, target: typeof a): string[] => compareDatabases(source, target).map(({ grade }) => grade);
  expect([grades(u, u), grades(l, u), grades(a, a)]).toEqual([[], [], []]);
  expect([grades(u, l), grades(a, u), grades(l, a)]).toEqual([["warning"], ["warning"], ["warning"]]);
  expect(grades({ ...a, encoding: "MULE_INTERNAL" }, u)).toEqual(["error"]);
});
