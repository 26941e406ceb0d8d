import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { installImages } from "../../src/capture/image-table.ts";
import { cutover } from "../../src/migrate/cutover.ts";
import { followKeyless } from "../../src/migrate/follow-keyless.ts";
import { releaseMove } from "../../src/migrate/release.ts";
import type { Major } from "../harness/binaries.ts";
import { footprint } from "../harness/footprint.ts";
import { nameOf, openRig, openSession, type Rig } from "../replicate/rig.ts";
import { contextOf, describe, switchOver } from "./rig.ts";

const schema = `create table log (at timestamptz, "Odd $bucardo$" text, doc json, f double precision, n numeric, bin bytea);
  create table small (v text); create table many (a int, day int) partition by range (day); create table many_1 partition of many for values from (0) to (10)`;
const log = nameOf("log");

/** Rows with how often each is there, by a query of our own. */
const rows = (rig: Rig, side: "source" | "target", table = "log") => {
  // Versions print floats differently.
  const image = table === "log" ? `row(at, "Odd $bucardo$", doc, float8send(f), n, bin)` : "t";
  return rig[side].query(
    `set timezone = 'UTC'; select ${image}::text as row, count(*)::int as n from ${table} t group by 1 order by (${image}::text) collate "C"`,
  );
};

async function open(majors: readonly [Major, Major]) {
  const rig = await openRig({ schema, tables: [], majors, strict: false, capture: false });
  const sessions = { source: await openSession(rig.source, "source"), target: await openSession(rig.target, "target") };
  const sync = rig.definition().sync;
  const step = (prove = true) => followKeyless({ sync, ...sessions, prove, signal: new AbortController().signal });
  const equal = async (): Promise<void> => expect(await rows(rig, "target")).toEqual(await rows(rig, "source"));
  return {
    rig,
    sync,
    step,
    equal,
    ...sessions,
    [Symbol.asyncDispose]: async () => {
      for (const session of Object.values(sessions)) await session.close();
      await rig[Symbol.asyncDispose]();
    },
  };
}

const fill = `insert into log select '2020-01-01'::timestamptz + (i % 40) * interval '1 hour', case when i % 3 = 0 then null else 'x' || i % 5 end, json_build_object('i', i % 7),
    (i % 4) / 3.0, case when i % 2 = 0 then 1.0 else 1.00 end, decode(repeat('00', i % 3), 'hex') from generate_series(1, 600) i`;

test.each([
  [10, 18],
  [18, 10],
] as const)("rows without key arrive as often as they are there: %i -> %i", async (from, to) => {
  await using opened = await open([from, to]);
  const { rig, sync, step, equal, source } = opened;
  await rig.source.query(fill);
  await installImages(source, sync.id, [log], { lockTimeoutMs: 10_000, equal: false });
  expect(await step()).toBe(600);
  await equal();
  for (const change of [
    fill,
    `delete from log where ctid = any (array(select min(ctid) from log group by "Odd $bucardo$", f))`,
    "update log set n = 1.000 where f > 0.5",
    "insert into log values (null, null, null, null, null, null), (null, null, null, 'NaN', 'NaN', null)",
    "insert into log (f) values (1e-300); delete from log where f = 1e-300",
    "begin; insert into log (f) values (7); rollback",
    "truncate log; insert into log (n) values (1), (1.0), (1)",
    "alter table log alter column n set not null",
    "vacuum full log",
  ]) {
    if (change.startsWith("vacuum")) await rig.source.query(change);
    else await (await rig.source.client()).query(change);
    await step();
    await equal();
  }
  expect(await step(false), "nothing came").toBe(0);
  expect(await rig.source.one("select count(*)::int as n from bucardo.image_1")).toEqual({ n: 0 });
  await rig.target.query("insert into log (n) values (99)");
  await expect(step()).rejects.toMatchObject({ code: "not-equal", details: { table: "public.log" } });
  await rig.target.query("delete from log");
  await rig.source.query("delete from log where n = 1.0");
  await expect(step(false), "what should go is not there").rejects.toMatchObject({ code: "not-equal" });
});

test("broken off around the target's commit, nothing is added twice and nothing is left out", async () => {
  await using opened = await open([13, 18]);
  const { rig, sync, step, equal, source } = opened;
  await installImages(source, sync.id, [log], { lockTimeoutMs: 10_000, equal: false });
  await rig.source.query(fill);
  await step();
  for (const place of ["migrate.keyless-noted", "migrate.keyless-committed"] as const) {
    await rig.source.query("insert into log (n) values (5), (5); delete from log where n = 1.00 and f = 0");
    {
      using point = onPoint((at) => {
        if (at === place) throw new Error("as if killed");
      });
      await expect(step(false)).rejects.toThrow("as if killed");
      expect(point).toBeDefined();
    }
    await step();
    await equal();
  }
});

test("a database of tables without key only moves over and back while clients write; nothing is left", async () => {
  await using opened = await open([12, 17]);
  const { rig, sync, source } = opened;
  await rig.source.query(`${fill}; insert into small values ('a'), ('a'); insert into many select i, i % 10 from generate_series(1, 50) i`);
  const before = await footprint(rig.source);
  await rig.capture();
  await installImages(source, sync.id, [log], { lockTimeoutMs: 10_000, equal: false });
  const uncaptured = [log, nameOf("small"), nameOf("many")];
  const all = async () => {
    for (const table of ["log", "small", "many"]) expect(await rows(rig, "target", table), table).toEqual(await rows(rig, "source", table));
  };
  await rig.source.query("insert into log (n) values (42), (42)");

  const attempts: string[] = [];
  {
    using point = onPoint(async (at) => {
      if (at !== "migrate.last-run") return;
      for (const write of ["insert into log (n) values (1)", "delete from small", "insert into many_1 values (9, 9)", "truncate many_1"])
        attempts.push(
          await rig.source.query(write).then(
            () => "written",
            (error: unknown) => (error as { code: string }).code,
          ),
        );
    });
    const rehearsed = await cutover(contextOf(rig, { uncaptured, rehearse: true, verify: true }));
    expect(rehearsed.outcome, describe(rehearsed)).toBe("rehearsed");
    expect(point).toBeDefined();
  }
  expect(attempts).toEqual(["BU001", "BU001", "BU001", "BU001"]);
  await rig.source.query(
    "insert into log (n) values (43); delete from log where n = 42 and ctid = (select min(ctid) from log where n = 42)",
  );
  await switchOver(rig, { uncaptured, verify: true });
  await all();
  await expect(rig.source.query("insert into many_1 values (1, 1)")).rejects.toMatchObject({ code: "BU001" });

  await rig.target.query("insert into log (n) values (44), (44); update log set f = 2 where n = 43; insert into small values ('b')");
  const forward = contextOf(rig);
  const back = {
    ...forward,
    from: forward.to,
    to: forward.from,
    definition: { ...forward.definition, source: "target", target: "source" },
  };
  const returned = await cutover({ ...back, uncaptured, verify: true });
  expect(returned.outcome, describe(returned)).toBe("switched");
  await all();
  await rig.source.query("insert into log (n) values (45)");
  await switchOver(rig, { uncaptured, verify: true });
  await all();

  await rig.dropSessions();
  for (const side of [source, opened.target]) await releaseMove(side, rig.installation);
  expect(await footprint(rig.source)).toEqual(before);
  expect(await rig.target.query("select from pg_namespace where nspname = 'bucardo'")).toEqual([]);
});
