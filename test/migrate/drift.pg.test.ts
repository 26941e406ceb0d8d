import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { footprint } from "../harness/footprint.ts";
import { openMove } from "./open-move.ts";

const schema = `
  create table kept (id int primary key, v text); insert into kept select i, 'old' from generate_series(1, 100) i;
  create table again (id serial primary key, kept int references kept); insert into again (kept) select i from generate_series(1, 50) i;
  create table child (id int primary key, again int references again); insert into child values (1, 1);
  create view sums as select count(*) as n from again;
  create table gone (id serial primary key); insert into gone default values;
  create table later (v text); insert into later values ('a'), ('b');
  create function quiet() returns event_trigger language plpgsql as $$ begin end $$; create event trigger quiet on ddl_command_end execute function quiet()`;

const tables = {
  kept: "select * from kept order by id",
  again: "select * from again order by id",
  child: "select * from child order by id",
  fresh: "select * from fresh order by id",
  later: "select * from later order by v",
  sums: "select * from sums",
};

test("tables that are dropped, made anew, added or given a key after a move was ready are taken up by start, and all else stays", async () => {
  await using move = await openMove(schema);
  await move.start();
  await move.old.query(`
    update kept set v = 'new' where id <= 10;
    drop table again cascade; create table again (kept int references kept, id int generated always as identity primary key, more text default 'x');
    insert into again (kept) select i from generate_series(1, 70) i; alter table child add foreign key (again) references again; create view sums as select count(*) + 1 as n from again;
    drop table gone; create table fresh (id serial primary key, v text unique); insert into fresh (v) values ('one');
    alter table later add primary key (v); create sequence loose start 5`);
  // It is told before anything is done, by whatever command comes.
  const refused = await move.turn("cutover");
  expect(refused).toMatchObject({
    outcome: "refused",
    gates: [{ name: "new-tables", state: "blocked", remedy: expect.stringContaining("migrate start") }],
  });
  for (const part of ["public.fresh", "public.loose", "public.gone", "again: public.again", "another key: public.later"])
    expect(refused.why?.message).toContain(part);
  await expect(move.follow()).rejects.toMatchObject({ code: "checkpoint-missing", advice: expect.stringContaining("migrate start") });
  expect((await move.plan()).findings.map(({ what }) => what).join()).toContain("public.fresh");
  // Killed while it takes them up, it goes on.
  {
    using _ = onPoint((point) => {
      if (point === "migrate.phase-begun") throw new Error("broken off");
    });
    await expect(move.start()).rejects.toThrow("broken off");
  }
  const copied = "select table_name from bucardo.copy_table where ended_at is not null and table_name = 'kept'";
  expect(await move.old.query(copied)).toHaveLength(1);
  await move.start();
  await move.old.query("insert into fresh (v) values ('two'); update later set v = 'c' where v = 'b'; delete from again where id = 2");
  const report = await move.turn("cutover");
  expect({ outcome: report.outcome, why: report.why?.message }).toEqual({ outcome: "switched", why: undefined });
  for (const [name, text] of Object.entries(tables))
    expect([name, await move.young.query(text)]).toEqual([name, await move.old.query(text)]);
  const describe = async (side: typeof move.old) =>
    (await footprint(side)).filter(
      (line) => !line.includes("bucardo") && !line.startsWith("row of") && !line.startsWith("function ") && !line.startsWith("trigger"),
    );
  expect(await describe(move.young)).toEqual(await describe(move.old));
  const keys =
    "select conname, conrelid::regclass::text as on, convalidated from pg_constraint where contype in ('p', 'f') and conrelid::regclass::text !~ '^bucardo' order by 1, 2";
  expect(await move.young.query(keys)).toEqual(await move.old.query(keys));
  expect((await move.turn("switchback")).outcome).toBe("switched");
});

test("tables that change while a move is being copied are taken up as well, and giving it up leaves nothing", async () => {
  await using move = await openMove(schema);
  const before = await footprint(move.young);
  {
    using _ = onPoint((point) => {
      if (point === "copy.planned") throw new Error("broken off");
    });
    await expect(move.start()).rejects.toThrow("broken off");
  }
  await move.old.query("drop table gone; drop table again cascade; create table again (id int primary key); insert into again values (9)");
  await move.start();
  expect(move.messages.join("\n")).toMatch(/dropped: .*public\.gone.*dropped and made again: public\.again/);
  expect(await move.young.query("select id from again")).toEqual([{ id: 9 }]);
  expect(await move.young.query("select to_regclass('public.gone') as gone")).toEqual([{ gone: null }]);
  await move.abort();
  expect(await footprint(move.young)).toEqual(before);
});
