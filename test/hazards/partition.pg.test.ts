import { expect, test } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, type Rig } from "../replicate/rig.ts";
import { at, validate } from "./steering.ts";

const majors = [12, 15, 18] as const;
const byList = `
  create table t (id int, part text, v text, primary key (id, part)) partition by list (part);
  create table t_a partition of t for values in ('a');
  create table t_b partition of t for values in ('b');
  create table t_other partition of t default`;

const nested = `
  create table t (id int, part text, v text, primary key (id, part)) partition by list (part);
  create table t_a partition of t for values in ('a') partition by range (id);
  create table t_a1 partition of t_a for values from (0) to (100);
  create table t_a2 partition of t_a for values from (100) to (1000);
  create table t_b partition of t for values in ('b')`;
const byHash = `
  create table t (id int primary key, part text, v text) partition by hash (id);
  create table t_0 partition of t for values with (modulus 2, remainder 0);
  create table t_1 partition of t for values with (modulus 2, remainder 1)`;
const plain = "create table t (id int, part text, v text, primary key (id, part))";
const plainById = "create table t (id int primary key, part text, v text)";

const fill = "insert into t select i, case i % 3 when 0 then 'a' when 1 then 'b' else 'c' end, 'first' from generate_series(1, 60) i";

/** The source is cut in parts, the target is not: what parts do must be told by values. */
async function filled(schema: string, major: Major = 15): Promise<Rig> {
  const rig = await openRig({ majors: [major, 18], schema, targetSchema: plain, tables: ["t"] });
  await rig.source.query(schema === nested ? fill.replace("else 'c'", "else 'a'") : fill);
  await rig.run();
  await rig.dropSessions(); // a run on new connections has not locked yet what it expects
  return rig;
}

/** One database with a table t in a schema for each case, called as the case is: a failure names it. */
async function sideBySide(cases: readonly string[], schema: string, major: Major = 15, targetSchema = plain): Promise<Rig> {
  const create = (text: string): string => cases.map((name) => `create schema "${name}"; ${inCase(name)} ${text}`).join("; ");
  const rig = await openRig({
    majors: [major, 18],
    schema: create(schema),
    targetSchema: create(targetSchema),
    tables: cases.map((name) => `${name}.t`),
  });
  const text = schema === nested ? fill.replace("else 'c'", "else 'a'") : fill;
  await rig.source.query(cases.map((name) => `${inCase(name)} ${text}`).join("; "));
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  return rig;
}

function inCase(name: string): string {
  return `set search_path = "${name}";`;
}

async function make(rig: Rig, changes: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, change] of Object.entries(changes)) await rig.source.query(`${inCase(name)} ${change}`);
  await rig.source.query("reset search_path");
}

async function carried(rig: Rig): Promise<void> {
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  expect((await rig.run()).outcome).toBe("empty");
}

const changes: Record<string, string> = {
  "a part leaves (DETACH)": "alter table t detach partition t_a",
  "a part leaves (DROP)": "drop table t_a",
  "a part is truncated": "truncate t_a",
  "a part is truncated and written again":
    "begin; truncate t_a; insert into t values (1000, 'a', 'new'); insert into t_a values (1001, 'a', 'new'); commit",
  "all is truncated by way of the root": "truncate t",
  "the root is truncated and a part with rows joins":
    "create table t_d (like t including all); insert into t_d values (1, 'd', 'kept'); truncate t; alter table t attach partition t_d for values in ('d')",
  "the root is truncated while a part is away":
    "alter table t detach partition t_a; truncate t; alter table t attach partition t_a for values in ('a')",
  "the default part is truncated": "truncate t_other",
  "the default part leaves": "alter table t detach partition t_other",
  "a part with rows joins":
    "create table t_d (like t including all); insert into t_d select i, 'd', 'new' from generate_series(1, 20) i; alter table t attach partition t_d for values in ('d')",
  "a part joins and changes at once":
    "create table t_d partition of t for values in ('d'); insert into t_d values (1, 'd', 'x'); insert into t values (2, 'd', 'y'); update t_d set v = 'z' where id = 1",
  "a part leaves and another takes its place":
    "alter table t detach partition t_a; create table t_a2 partition of t for values in ('a'); insert into t_a2 select id, part, 'second' from t_a where id % 2 = 0",
  "a part leaves, changes and comes back":
    "alter table t detach partition t_a; update t_a set v = 'alone'; delete from t_a where id < 10; alter table t attach partition t_a for values in ('a')",
  "the default part is truncated before a part takes its rows":
    "truncate t_other; create table t_c partition of t for values in ('c'); insert into t values (2, 'c', 'kept')",
  "rows move out of the default part into one that joins":
    "begin; create table t_c (like t including all); insert into t_c select * from t_other where part = 'c'; delete from t_other where part = 'c'; alter table t attach partition t_c for values in ('c'); commit",
  "a row moves to another part":
    "update t set part = 'b' where part = 'a' and id > 30; update t set part = 'zz', v = 'moved' where part = 'b' and id < 20",
};

test.for(majors)("H19: PostgreSQL %i: parts that leave, join, are truncated and change places are followed", async (major) => {
  await using rig = await sideBySide(Object.keys(changes), byList, major);
  await make(rig, changes);
  await carried(rig);
});

const nestedChanges: Record<string, string> = {
  "a branch leaves with its parts": "alter table t detach partition t_a",
  "a part of a branch is truncated": "truncate t_a1",
  "a branch is truncated": "truncate t_a",
  "a part joins a branch":
    "create table t_a3 (like t including all); insert into t_a3 values (2000, 'a', 'new'); alter table t_a attach partition t_a3 for values from (1000) to (5000)",
  "a branch with rows joins":
    "create table t_d (like t including all) partition by range (id); create table t_d1 partition of t_d for values from (0) to (10); insert into t_d values (3, 'd', 'new'); alter table t attach partition t_d for values in ('d')",
  "rows change by way of root, branch and part":
    "update t set v = 'root' where id = 3; update t_a set v = 'branch' where id = 6; update t_a1 set v = 'part' where id = 9",
};

test("H19: branches of parts are followed", async () => {
  await using rig = await sideBySide(Object.keys(nestedChanges), nested);
  await make(rig, nestedChanges);
  await carried(rig);
});

const hashChanges: Record<string, string> = {
  "a part is truncated": "truncate t_0",
  "a part leaves": "alter table t detach partition t_0",
  "a part is split": "alter table t detach partition t_0; create table t_00 partition of t for values with (modulus 4, remainder 0)",
};

test("H19: hash partitions, whose bounds mean nothing on the target, are followed", async () => {
  await using rig = await sideBySide(Object.keys(hashChanges), byHash, 15, plainById);
  await make(rig, hashChanges);
  await carried(rig);
});

test("H19: the last part leaves, and comes back later", async () => {
  await using rig = await openRig({
    schema:
      "create table t (id int, part text, v text, primary key (id, part)) partition by list (part); create table t_a partition of t for values in ('a')",
    targetSchema: plain,
    tables: ["t"],
  });
  await rig.source.query("insert into t select i, 'a', 'first' from generate_series(1, 10) i");
  await rig.run();
  await rig.source.query("update t set v = 'second' where id = 1; alter table t detach partition t_a");
  await carried(rig);
  await rig.source.query("alter table t attach partition t_a for values in ('a')");
  await carried(rig);
});

test("H19: a part that leaves while the run reads is not taken for deleted rows", async () => {
  await using rig = await filled(byList);
  await rig.source.query("update t set v = 'second'");
  using steps = at("replicate.checkpoint-read", () => rig.source.query("alter table t detach partition t_a"));
  await rig.run();
  expect(steps.passes).toBe(2);
  await rig.source.query("alter table t attach partition t_a for values in ('a')");
  await carried(rig);
});

test("H19: a part that is away only while the run reads is not lost", async () => {
  await using rig = await filled(byList);
  await rig.source.query("update t set v = 'second'");
  using _away = at("replicate.checkpoint-read", () => rig.source.query("alter table t detach partition t_a"));
  await rig.run().catch(() => undefined);
  await rig.source.query("alter table t attach partition t_a for values in ('a')");
  await carried(rig);
});

test("H19: a part that joins while the run reads shows no rows that the snapshot does not know", async () => {
  await using rig = await filled(nested);
  await rig.source.query("create table t_d (like t including all); insert into t_d values (1, 'd', 'x')");
  await rig.source.query(
    "update t set v = 'second'; alter table t attach partition t_d for values in ('d'); update t set v = 'x'; alter table t detach partition t_d",
  );
  using steps = at("replicate.snapshot-taken", () => rig.source.query("alter table t attach partition t_d for values in ('d')"));
  await rig.run();
  expect(steps.passes).toBeGreaterThan(1);
  await carried(rig);
});

test("H19: a part that joined and loses its name while the run looks is not mistaken for the one that has it now", async () => {
  await using rig = await filled(nested);
  await rig.source.query("create table t_d partition of t for values in ('d'); insert into t_d values (1, 'd', 'x'), (2, 'd', 'x')");
  await validate(rig);
  await rig.source.query("create table t_e (like t); insert into t_e values (1, 'd', 'another')");
  using _steps = at("replicate.checkpoint-read", () =>
    rig.source.query("begin; alter table t_d rename to t_f; alter table t_e rename to t_d; commit"),
  );
  await rig.run();
  await carried(rig);
});

test("H19: a part that leaves between the beginning of capture and the first run", async () => {
  await using rig = await openRig({ schema: byList, targetSchema: plain, tables: ["t"], capture: false });
  for (const side of [rig.source, rig.target]) await side.query(fill);
  await rig.capture();
  await rig.source.query("alter table t detach partition t_a");
  await carried(rig);
});

test.for([12, 15] as const)(
  "H19: PostgreSQL %i: a part that is also captured by itself misses nothing, whoever is written to",
  async (major) => {
    await using rig = await openRig({
      majors: [major, 18],
      schema: byList,
      targetSchema: `${plain}; create table t_a (id int, part text, v text, primary key (id, part))`,
      tables: ["t_a", "t"],
    });
    await rig.source.query(
      "insert into t values (1, 'a', 'by root'); insert into t_a values (2, 'a', 'direct'); insert into t values (3, 'b', 'x')",
    );
    await carried(rig);
    await rig.source.query(
      "update t set v = 'by root 2' where id = 2; update t_a set v = 'direct 2' where id = 1; update t set part = 'a' where id = 3",
    );
    await carried(rig);
    await rig.source.query("delete from t where id = 1; delete from t_a where id = 2; truncate t");
    await carried(rig);
  },
);

test("H19: a part that is dropped while the run looks voids it", async () => {
  await using rig = await filled(byList, 12);
  await rig.source.query("update t set v = 'second'");
  const dropping = await rig.source.client();
  await dropping.query("begin; drop table t_a");
  const running = rig.run();
  running.catch(() => undefined);
  await waitFor(async () => (await rig.source.query("select from pg_locks where not granted")).length > 0, { what: "the run to wait" });
  await dropping.query("commit");
  await running;
  expect(await rig.differences()).toEqual([]);
});

test("H19: a part below a branch is captured by itself and run without its tree", async () => {
  await using rig = await openRig({
    schema: nested,
    targetSchema: "create table t_a1 (id int, part text, v text, primary key (id, part))",
    tables: ["t_a1"],
  });
  await rig.source.query("insert into t values (1, 'a', 'x'); update t set v = 'y'; insert into t_a1 values (2, 'a', 'z')");
  await carried(rig);
});

const becomePart =
  "create table root (id int, part text, v text, primary key (id, part)) partition by list (part); alter table root attach partition t for values in ('a')";

test("H19: a captured table that becomes a part of another is seen through its root", async () => {
  await using rig = await openRig({ schema: plain, tables: ["t"] });
  await rig.source.query("insert into t values (1, 'a', 'alone')");
  await rig.run();
  await rig.source.query(`${becomePart}; update root set v = 'by root'`);
  await carried(rig);
  await rig.source.query("update root set v = 'by root 2'; insert into root values (2, 'a', 'new')");
  await carried(rig);
});

test("H19: before PostgreSQL 13 the server does not let a captured table become a part", async () => {
  await using rig = await openRig({ majors: [12, 18], schema: plain, tables: ["t"] });
  await expect(rig.source.query(becomePart)).rejects.toThrow(/prevents table "t" from becoming a partition/);
});

test("H19: a captured table that gets a parent is seen through it", async () => {
  await using rig = await openRig({ schema: plain, tables: ["t"] });
  await rig.source.query("insert into t values (1, 'a', 'alone')");
  await rig.run();
  await rig.source.query(
    "create table parent (id int not null, part text not null, v text); alter table t inherit parent; update parent set v = 'by parent'",
  );
  await carried(rig);
  await rig.source.query("update parent set v = 'by parent 2'; delete from parent where id = 1");
  await carried(rig);
});

const each = (action: string): string =>
  `do $$ declare n text; begin for n in select tgname from pg_trigger where tgrelid = 't'::regclass and not tgisinternal loop execute format('${action}', n); end loop; end $$`;
const unseen = "update t set v = 'unseen' where id < 10";
const away: Record<string, string> = {
  "disabled and enabled": `alter table t disable trigger all; ${unseen}; alter table t enable trigger all`,
  "for replicas only for a while": `${each("alter table t enable replica trigger %I")}; ${unseen}; alter table t enable trigger all`,
  "dropped and made again": `${each("drop trigger %I on t")}; ${unseen}`,
};

test.for([
  ["a plain table", plain],
  ["a partitioned table", byList],
] as const)("H19: what happened to %s while its triggers were away is carried", async ([, schema]) => {
  await using rig = await sideBySide(Object.keys(away), schema);
  await make(rig, away);
  await validate(rig);
  await carried(rig);
});

test("H19: triggers that are away now stop the sync or are mended, they are never ignored", async () => {
  await using rig = await filled(byList);
  await rig.source.query("alter table t disable trigger all; update t set v = 'unseen' where id < 10");
  await expect(rig.run()).rejects.toMatchObject({ code: "schema-mismatch" });
  await rig.source.query("alter table t enable trigger all");
  await carried(rig);
});
