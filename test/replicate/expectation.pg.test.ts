import { expect, test } from "vitest";
import type { Session } from "../../src/postgres/session.ts";
import { openRig, type Rig } from "./rig.ts";

const schema = `create table t (id int primary key, v text);
  create table u (id int primary key, v text);
  create table p (id int primary key, v text) partition by range (id);
  create table p_1 partition of p for values from (0) to (100)`;

/** Two runs of the same tables: the third one expects them. */
async function warm(tables: readonly string[]): Promise<Rig> {
  const rig = await openRig({ schema, majors: [15, 18], tables: ["t", "u", "p"] });
  await rig.source.query(
    "insert into t select i, 'first' from generate_series(1, 9) i; insert into u select * from t; insert into p select * from t",
  );
  await rig.run();
  for (const value of ["second", "third"]) {
    for (const table of tables) await rig.source.query(`update ${table} set v = $1 where id < 4`, [value]);
    expect((await rig.run()).outcome).toBe("good");
  }
  return rig;
}

/** Names of the statements that a session is asked from now on, one list for each round trip in a batch. */
function asked(session: Session): string[][] {
  const batches: string[][] = [];
  const usual = session.batch.bind(session);
  session.batch = (statements) => {
    batches.push(statements.map(({ name }) => name.replace(/^replicate\./, "")));
    return usual(statements);
  };
  return batches;
}

test("a run that finds what the last one found has counted and locked it along with its look", async () => {
  await using rig = await warm(["t", "p"]);
  const batches = asked((await rig.sessions()).source);
  await rig.source.query("update t set v = 'now' where id = 2; delete from p where id = 3");
  expect((await rig.run()).tables).toMatchObject([
    { table: "public.t", upserted: 1 },
    { table: "public.p", deleted: 1 },
  ]);
  expect(batches[0]).toEqual(expect.arrayContaining(["begin-source", "look", "count-pending", "hold-tables", "check-unchanged"]));
  expect(batches.flat().filter((name) => name === "hold-tables")).toHaveLength(1);
  expect(await rig.differences()).toEqual([]);
});

test.for([
  ["nothing", ""],
  ["rows of another table", "update u set v = 'now' where id = 1"],
  ["rows of one more table", "update u set v = 'now' where id = 1; update t set v = 'now' where id = 5"],
  ["that the table was truncated", "truncate t; insert into t values (7, 'after')"],
  [
    "that the table was rewritten",
    "alter table t add column w int default 5; alter table t drop column w; update t set v = 'now' where id = 2",
  ],
  ["that a part was attached", "create table p_2 partition of p for values from (100) to (200); insert into p values (150, 'new')"],
  ["that a part was detached", "alter table p detach partition p_1; update t set v = 'now' where id = 2"],
] as const)("a run that expected the same tables and finds %s carries that", async ([, change]) => {
  await using rig = await warm(["t", "p"]);
  if (change.includes("partition of")) await rig.target.query("create table p_2 partition of p for values from (100) to (200)");
  if (change !== "") await rig.source.query(change);
  for (let attempt = 1; attempt <= 3; attempt++) {
    const end = await rig.run().then(
      ({ outcome }) => outcome,
      (error: { code: string }) => error.code,
    );
    if (end === "empty") break;
  }
  expect(await rig.differences()).toEqual([]);
});

test("an expected table that somebody holds does not delay the others for longer than the patience of a lock", async () => {
  await using rig = await warm(["t"]);
  const holder = await rig.source.client();
  await holder.query("begin; lock table t in access exclusive mode");
  await rig.source.query("update u set v = 'now' where id = 1");
  expect((await rig.run()).tables).toMatchObject([{ table: "public.u", upserted: 1 }]);
  await holder.query("commit");
  expect(await rig.differences()).toEqual([]);
});

test("a run that expected a table whose name another one has by now touches nothing", async () => {
  await using rig = await warm(["t"]);
  await rig.source.query(
    "create table x (like t including all); insert into x values (1, 'x'); alter table t rename to y; alter table x rename to t",
  );
  await expect(rig.run()).rejects.toMatchObject({ code: "checkpoint-missing" });
  expect(await rig.target.one("select count(*)::int as rows from t")).toEqual({ rows: 9 });
});
