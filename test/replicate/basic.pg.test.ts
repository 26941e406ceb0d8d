import { expect, test } from "vitest";
import { inspectCapture } from "../../src/capture/inspect.ts";
import { countDeltas } from "../../src/capture/pending.ts";
import { releaseSync } from "../../src/capture/release.ts";
import { openRig, openSession } from "./rig.ts";

const pairs = [
  [10, 18],
  [12, 18],
  [15, 16],
  [18, 12],
  [18, 10],
] as const;

test.for(pairs)("rows follow from %i to %i, only keys are captured, nothing stays on the target", async ([from, to]) => {
  await using rig = await openRig({
    majors: [from, to],
    schema: "create table t (id int primary key, v text, n numeric, b bytea, at timestamptz default now())",
    tables: ["t"],
  });
  await rig.source.query(
    "insert into t (id, v, n, b) select i, 'value ' || i, i / 7.0, decode(lpad(to_hex(i), 8, '0'), 'hex') from generate_series(1, 1000) i",
  );
  const first = await rig.run();
  expect(first).toMatchObject({ outcome: "good", tables: [{ table: "public.t", upserted: 1000, deleted: 0 }] });
  expect(await rig.differences()).toEqual([]);

  await rig.source.query(
    "update t set v = v || '!' where id % 10 = 0; delete from t where id % 7 = 0; update t set id = id + 10000 where id % 11 = 0; insert into t values (5000, null, null, null, null)",
  );
  const second = await rig.run();
  expect(second.outcome).toBe("good");
  expect(await rig.differences()).toEqual([]);
  expect((await rig.run()).outcome).toBe("empty");

  const { nothing } = await rig.target.one<{ nothing: boolean }>(
    "select not exists (select from pg_namespace where nspname = 'bucardo') and not exists (select from pg_trigger) as nothing",
  );
  expect(nothing).toBe(true);
});

test("a released sync leaves nothing on the source", async () => {
  await using rig = await openRig({
    schema: "create table t (id int primary key); create table u (id int primary key)",
    tables: ["t", "u"],
  });
  await rig.source.query("insert into t values (1); truncate u");
  await using session = await openSession(rig.source, "source");
  expect(await countDeltas(session)).toMatchObject([
    { sync: "rig", target: "target", table: "public.t", deltas: 1 },
    { table: "public.u", deltas: 1 },
  ]);
  await releaseSync(session, rig.syncId);
  // The role belongs to the whole server: capture in a database of another test keeps it.
  expect((await inspectCapture(session)).filter(({ kind }) => kind !== "role")).toEqual([]);
});
