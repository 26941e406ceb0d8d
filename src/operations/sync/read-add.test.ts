import { describe, expect, test } from "vitest";
import type { Candidate } from "../../catalog/find.ts";
import type { Problem } from "../../model/error.ts";
import type { Database, DbgroupMember } from "../../model/sync.ts";
import { reporter } from "../report.ts";
import { planDbgroup, planRelgroup, readTableWords, type Registered } from "./plan.ts";
import { understand, type Understood, type Wanted } from "./read-add.ts";

const database = (name: string): Database => ({
  name,
  dbname: name,
  host: null,
  port: null,
  user: null,
  password: null,
  service: null,
  pgpass: null,
  conn: null,
  status: "active",
});
const member = (db: string, role: DbgroupMember["role"]): DbgroupMember => ({ db, role, priority: 0 });
const relation = (name: string, schema = "public", kind: Candidate["kind"] = "table", keyed = true): Candidate => ({
  schema,
  name,
  kind,
  partition: false,
  keyed,
});

const registered: Registered = {
  databases: ["A", "B", "C"].map(database),
  dbgroups: [
    { name: "pair", members: [member("A", "source"), member("B", "target")] },
    { name: "targets", members: [member("B", "target"), member("C", "target")] },
  ],
  relgroups: [
    {
      name: "hands",
      members: [
        {
          ...relation("t"),
          id: 1,
          db: "A",
          keyColumns: null,
          autokick: null,
          strictChecking: null,
          conflictStrategy: null,
          ghost: false,
          legacy: {},
          priority: 0,
        },
      ],
    },
    { name: "empty", members: [] },
  ],
};

function read(wanted: Wanted): { understood: Understood | null; wrong: string[] } {
  const problems: Problem[] = [];
  const understood = understand(wanted, registered, problems);
  return { understood, wrong: problems.map(({ what }) => what) };
}

describe("version 4", () => {
  test("a database as source: a herd is made of the tables", () => {
    expect(read({ name: "pepper", type: "pushdelta", source: "A", targetdb: "C", tables: ["accounts"] })).toEqual({
      understood: {
        form: 4,
        dbgroup: { name: "pepper", create: true, members: [member("A", "source"), member("C", "target")] },
        sourceDb: "A",
        relgroup: null,
        newRelgroup: null,
        tables: ["accounts"],
      },
      wrong: [],
    });
  });

  test("a herd as source; a group as target; a group with just these roles is used again", () => {
    expect(read({ name: "s", source: "hands", targetgroup: "targets" }).understood).toMatchObject({
      relgroup: "hands",
      sourceDb: "A",
      dbgroup: { create: true, members: [member("A", "source"), member("B", "target"), member("C", "target")] },
    });
    expect(read({ name: "s", source: "hands", targetdb: "B" }).understood?.dbgroup).toMatchObject({ name: "pair", create: false });
  });

  test.each<[Partial<Wanted>, string[]]>([
    [{ targetdb: "B", tables: ["t"] }, ["source= is missing"]],
    [{ source: "A", tables: ["t"] }, ["targetdb= or targetgroup= is missing"]],
    [{ source: "A", targetdb: "B", targetgroup: "targets", tables: ["t"] }, ["targetdb= and targetgroup= exclude each other"]],
    [{ source: "Z", targetdb: "Y", tables: ["t"] }, ['source "Z" is neither a relgroup nor a database', 'Unknown database "Y"']],
    [{ source: "empty", targetdb: "B" }, ['relgroup "empty" is empty']],
    [{ source: "hands", targetdb: "B", tables: ["t"] }, ["tables= does not go with a herd as source"]],
    [{ source: "A", targetdb: "B" }, ["Must specify a relgroup (or a list of tables) for this sync"]],
    [{ source: "A", targetgroup: "nope", tables: ["t"] }, ['Unknown dbgroup "nope"']],
  ])("%o", (wanted, wrong) => {
    expect(read({ name: "s", ...wanted }).wrong).toEqual(wrong);
  });
});

describe("version 5", () => {
  test.each<[Partial<Wanted>, Partial<Understood>]>([
    [
      { tables: ["t"], dbs: ["A", "C"] },
      { sourceDb: "A", relgroup: null, newRelgroup: null, tables: ["t"] },
    ],
    [{ tables: ["t"], dbs: ["C:t", "A:s"] }, { sourceDb: "A" }],
    [{ tables: ["t"], dbs: ["A:source", "B:source"] }, { sourceDb: "A" }],
    [
      { relgroup: "hands", dbgroup: "pair" },
      { sourceDb: "A", relgroup: "hands", tables: [] },
    ],
    [
      { relgroup: "new", tables: ["t"], dbs: ["pair"] },
      { sourceDb: "A", relgroup: null, newRelgroup: "new", tables: ["t"] },
    ],
    [
      { relgroup: "t,u", dbs: ["A", "B"] },
      { newRelgroup: null, tables: ["t", "u"] },
    ],
    [
      { relgroup: "t", dbs: ["A", "B"] },
      { newRelgroup: null, tables: ["t"] },
    ],
  ])("%o", (wanted, understood) => {
    const result = read({ name: "s", ...wanted });
    expect(result.wrong).toEqual([]);
    expect(result.understood).toMatchObject({ form: 5, ...understood });
  });

  test.each<[Partial<Wanted>, string[]]>([
    [{ tables: ["t"] }, ["Must specify which databases: dbs= or dbgroup="]],
    [{ dbs: ["A", "B"] }, ["Must specify a relgroup (or a list of tables) for this sync"]],
    [{ tables: ["t"], dbs: ["A:lord", "Q"] }, ['"lord" is no role', 'Unknown database "Q"']],
    [{ tables: ["t"], dbs: ["A:target", "B"] }, ["no database of the sync is a source"]],
    [{ tables: ["t"], dbs: ["A", "B"], dbgroup: "pair" }, ['dbgroup "pair" exists; dbs= would change it']],
    [{ tables: ["t"], relgroup: "hands", dbs: ["A", "B"] }, ['relgroup "hands" exists; tables= would change it']],
    [{ tables: ["t"], dbgroup: "nope" }, ['Unknown dbgroup "nope"']],
  ])("%o", (wanted, wrong) => {
    expect(read({ name: "s", ...wanted }).wrong).toEqual(wrong);
  });

  test.each(["1st", "a b", "sync", "All", "pushdelta", "x".repeat(64), ""])("%j is no name of a sync", (name) => {
    expect(read({ name, tables: ["t"], dbs: ["A", "B"] }).wrong).toHaveLength(1);
  });
});

describe("groups", () => {
  test("take the name of the sync, numbered when it is taken", () => {
    expect(planDbgroup("pair", null, [member("C", "source"), member("B", "target")], registered.dbgroups)).toMatchObject({
      name: "pair_2",
      create: true,
    });
    expect(planDbgroup("s", "own", [member("A", "source"), member("B", "target")], registered.dbgroups)).toMatchObject({
      name: "own",
      create: true,
    });
    expect(planDbgroup("s", null, [member("B", "target"), member("A", "source")], registered.dbgroups)).toMatchObject({
      name: "pair",
      create: false,
    });
    expect(planRelgroup("hands", null, "A", [relation("u")], registered.relgroups)).toMatchObject({ name: "hands_2", create: true });
    expect(planRelgroup("s", null, "A", [relation("t")], registered.relgroups)).toMatchObject({ name: "hands", create: false });
    expect(planRelgroup("s", null, "B", [relation("t")], registered.relgroups)).toMatchObject({ name: "s", create: true });
    expect(planRelgroup("s", null, "A", [], registered.relgroups)).toMatchObject({ name: "s", create: true });
  });
});

describe("words for tables", () => {
  const candidates = [
    relation("a"),
    relation("b"),
    relation("a", "shop"),
    relation("nokey", "shop", "table", false),
    relation("s", "shop", "sequence"),
  ];
  const names = (words: string[], preferPublic = false): { found: string[]; wrong: string[] } => {
    const problems: Problem[] = [];
    const found = readTableWords(words, candidates, preferPublic, reporter(problems)).map(({ schema, name }) => `${schema}.${name}`);
    return { found, wrong: problems.map(({ what }) => what) };
  };

  test.each<[string[], boolean, string[]]>([
    [["a"], false, ["public.a", "shop.a"]],
    [["a"], true, ["public.a"]],
    [["s"], true, ["shop.s"]],
    [["shop.a", "b"], true, ["public.b", "shop.a"]],
    [["shop.*"], false, ["shop.a", "shop.nokey", "shop.s"]],
    [["all"], false, ["public.a", "public.b", "shop.a"]],
    [["ALL", "shop.s"], false, ["public.a", "public.b", "shop.a", "shop.s"]],
  ])("%j, public first: %j", (words, preferPublic, found) => {
    expect(names(words, preferPublic)).toEqual({ found, wrong: [] });
  });

  test("each unknown one is named", () => {
    expect(names(["x", "a", "zzz*"]).wrong).toEqual(['Could not find a relation named "x"', 'Could not find a relation named "zzz*"']);
  });
});
