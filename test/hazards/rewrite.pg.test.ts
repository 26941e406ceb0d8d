import { expect, test } from "vitest";
import { openRig } from "../replicate/rig.ts";
import { at, checkpointOf } from "./steering.ts";

const schema = "create table t (id int primary key, v text); create table u (id int primary key, v text)";
const fill =
  "insert into t select i, 'v' || i from generate_series(1, 50) i; insert into u select i, 'v' || i from generate_series(1, 50) i";

async function filled() {
  const rig = await openRig({ schema, tables: ["t", "u"] });
  await rig.source.query(fill);
  await rig.run();
  return rig;
}

const rewrites = {
  "ALTER TABLE that rewrites": "alter table t alter v type text using v || '!'",
  TRUNCATE: "truncate t",
  "TRUNCATE with new rows": "begin; truncate t; insert into t values (7, 'new'), (1000, 'new'); commit",
  "VACUUM FULL": "vacuum full t",
};

test("H2: what rewrites or empties a table after the run's snapshot never shows the target an empty table", async () => {
  await using rig = await filled();
  for (const [name, rewrite] of Object.entries(rewrites)) {
    await rig.source.query(`insert into t select i, '${name}' from generate_series(1, 50) i on conflict do nothing`);
    await rig.run();
    await rig.source.query("update t set v = v || '+' where id <= 20; update u set v = v || '+' where id <= 20");
    await rig.dropSessions(); // a run on new connections has not locked yet what it expects
    using steps = at("replicate.snapshot-taken", () => rig.source.query(rewrite));
    await rig.run();
    expect(steps.passes, name).toBe(2);
    expect(await rig.differences(), name).toEqual([]);
    expect((await rig.run()).outcome, name).toBe("empty");
  }
});

test("H2: a void run changes nothing on the target", async () => {
  await using rig = await filled();
  await rig.source.query("update t set v = v || '+'");
  const before = await checkpointOf(rig);
  await rig.dropSessions(); // a run on new connections has not locked yet what it expects
  const { source, target } = await rig.sessions();
  using _steps = at("replicate.snapshot-taken", () => rig.source.query("truncate t"));
  const { run } = await import("../../src/replicate/run.ts");
  await expect(
    run({
      definition: rig.definition(),
      source,
      target,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      remembered: null,
    }),
  ).rejects.toMatchObject({ code: "run-void" });
  expect(await rig.target.one("select count(*)::int as rows from t where v like 'v%' and v not like '%+'")).toEqual({ rows: 50 });
  expect(await checkpointOf(rig)).toEqual(before);
});

test("H2: a rewrite between two runs is copied, VACUUM FULL and a new default are not", async () => {
  await using rig = await filled();
  await rig.source.query("vacuum full t; ");
  await rig.source.query("alter table u alter v set default 'x'");
  await rig.target.query("alter table u alter v set default 'x'");
  expect((await rig.run()).outcome).toBe("empty");
  await rig.source.query("alter table t alter v type text using v || '!'");
  expect((await rig.run()).tables).toMatchObject([{ table: "public.t", upserted: 50, refilled: true }]);
  expect(await rig.differences()).toEqual([]);
});

test("H2: an idle source is left alone", async () => {
  await using rig = await filled();
  await rig.run();
  const before = await checkpointOf(rig);
  await rig.run();
  await rig.run();
  expect(await checkpointOf(rig)).toEqual(before);
});

test("H2: TRUNCATE undone by a savepoint is none", async () => {
  await using rig = await filled();
  await rig.source.query(
    "begin; savepoint a; truncate t; insert into t values (999, 'x'); rollback to a; update t set v = 'w' where id = 1; commit",
  );
  expect((await rig.run()).tables).toMatchObject([{ table: "public.t", upserted: 1, deleted: 0, refilled: false }]);
  expect(await rig.differences()).toEqual([]);
});

test("H2: a table that took the name after the snapshot is not read", async () => {
  await using rig = await filled();
  await rig.source.query("create table t_new (like t including all); insert into t_new select id, 'other' from t");
  await rig.source.query("update t set v = 'w' where id <= 20");
  await rig.dropSessions(); // a run on new connections has not locked yet what it expects
  using steps = at("replicate.snapshot-taken", () =>
    rig.source.query("begin; alter table t rename to t_old; alter table t_new rename to t; commit"),
  );
  await expect(rig.run()).rejects.toMatchObject({ code: "checkpoint-missing" });
  expect(steps.passes).toBe(1);
  expect(await rig.target.one("select count(*)::int as rows from t where v = 'other'")).toEqual({ rows: 0 });
});

test("H2: a column dropped after the snapshot voids the run", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text, w text)", tables: ["t"] });
  await rig.source.query("insert into t values (1, 'a', 'b')");
  await rig.dropSessions(); // a run on new connections has not locked yet what it expects
  using steps = at("replicate.snapshot-taken", async () => {
    await rig.source.query("alter table t drop w");
    await rig.target.query("alter table t drop w");
  });
  await rig.run();
  expect(steps.passes).toBe(2);
  expect(await rig.differences()).toEqual([]);
});

test.for([10, 12] as const)("H2: PostgreSQL %i: a column added with a value for old rows is carried", async (major) => {
  await using rig = await openRig({ schema, tables: ["t", "u"], majors: [major, 18] });
  await rig.source.query(fill);
  await rig.run();
  for (const side of [rig.source, rig.target])
    await side.query("alter table t add at timestamptz default clock_timestamp(); alter table u add at timestamptz default now()");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});
