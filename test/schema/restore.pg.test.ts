import { expect, test } from "vitest";
import { restoreFailure, restoreStage } from "../../src/schema/restore.ts";
import { richSchema } from "./rich.ts";
import { dump, failuresOf, never, restoreAll, side, textsOf } from "./rig.ts";

test("failures are collected, consequences are told apart, only what is asked for is left out", async () => {
  await using source = await side("old", 15);
  await using target = await side("new", 15);
  await source.database.query(`
    create type here as enum ('a'); create table one (id int primary key, h here); create table two (id int primary key);
    create view v as select * from one; create index two_idx on two (id desc);`);
  await target.database.query("create type here as enum ('other'); create table two (id text)");
  const { objects } = await dump(source, 150000, { pgDump: "built-in" });
  const report = await restoreStage(target.options, objects, { stage: "pre", jobs: 4, signal: never });
  expect(report.failed.map(({ object, error, consequence }) => [object.id, error.details.sqlstate, consequence])).toEqual([
    ["TYPE public.here", "42710", false],
    ["TABLE public.two", "42P07", false],
  ]);
  expect(report.made).toEqual(["TABLE public.one", "VIEW public.v"]);
  const failure = restoreFailure(report, "new");
  expect(failure).toMatchObject({ code: "restore-failed", message: expect.stringContaining("2 objects") });
  expect(failure.details.problems?.[0]).toMatchObject({
    what: expect.stringContaining("TYPE public.here"),
    remedy: expect.stringContaining("--skip-object 'TYPE public.here'"),
  });
  const seen: string[] = [];
  const done = new Set(report.made);
  const again = await restoreStage(target.options, objects, {
    stage: "pre",
    jobs: 1,
    signal: never,
    done,
    skip: ["TYPE public.h*", "public.two"],
    remember: async (object, outcome) => void seen.push(`${outcome} ${object.id}`),
  });
  expect(again).toMatchObject({ before: report.made, skipped: ["TYPE public.here", "TABLE public.two"], failed: [], made: [] });
  expect(seen).toEqual(["skipped TYPE public.here", "skipped TABLE public.two"]);
});

test("a view on what could not be made is a consequence", async () => {
  await using source = await side("old", 15);
  await using target = await side("new", 15);
  await source.database.query("create table gone (id int, w int); create view v as select w from gone; create table two (id int)");
  await target.database.query("create view gone as select 1 as id");
  const { objects } = await dump(source, 150000, { pgDump: "built-in" });
  const report = await restoreStage(target.options, objects, { stage: "pre", jobs: 1, signal: never });
  expect(report.failed.map(({ object, consequence }) => [object.id, consequence])).toEqual([
    ["TABLE public.gone", false],
    ["VIEW public.v", true],
  ]);
  expect(report.made).toEqual(["TABLE public.two"]);
});

test("an attempt that forgot what it had made goes on as if it had not", async () => {
  await using source = await side("old", 18);
  await using target = await side("new", 18);
  await source.database.query(richSchema(18));
  const { objects } = await dump(source, 180000, { pgDump: "built-in" });
  expect(failuresOf(await restoreAll(target, objects, { jobs: 3 }))).toEqual([]);
  const before = textsOf(await dump(target, 180000, { pgDump: "built-in" }));
  expect(failuresOf(await restoreAll(target, objects, { jobs: 3, resumed: true }))).toEqual([]);
  expect(textsOf(await dump(target, 180000, { pgDump: "built-in" }))).toEqual(before);
  const failures = failuresOf(await restoreAll(target, objects, {}));
  expect(failures.length).toBeGreaterThan(50);
});

test("a lock that somebody holds is waited for, and an abort ends the waiting", async () => {
  await using source = await side("old", 17);
  await using target = await side("new", 17);
  await source.database.query("create table t (id int primary key); create index t_idx on t (id desc)");
  const { objects } = await dump(source, 170000, { pgDump: "built-in" });
  await restoreAll(target, objects, {}, ["pre"]);
  const holder = await target.database.client();
  await holder.query("begin; lock table t in row exclusive mode");
  const stop = new AbortController();
  const working = restoreStage(target.options, objects, {
    stage: "index",
    jobs: 2,
    signal: stop.signal,
    onProgress: ({ event }) => event === "begun" && stop.abort(new Error("enough")),
  });
  await expect(working).rejects.toThrow("enough");
  await holder.query("commit");
  const report = await restoreStage(target.options, objects, { stage: "index", jobs: 2, signal: never });
  expect(report.made).toEqual(["INDEX public.t_idx"]);
});

test("without owners everything belongs to the user who connects", async () => {
  await using source = await side("old", 16);
  await using target = await side("new", 16);
  await source.database.query(
    "create table t (id int); alter table t owner to pg_database_owner; create function f() returns int language sql as 'select 1'",
  );
  const { objects } = await dump(source, 160000, { pgDump: "built-in" });
  await restoreAll(target, objects, { owners: false });
  const [row] = await target.database.query("select pg_get_userbyid(relowner) as owner from pg_class where relname = 't'");
  expect(row).toEqual({ owner: "postgres" });
});
