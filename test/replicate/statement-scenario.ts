import { expect } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { openRig } from "./rig.ts";

const schema = `
  create table parent (id int primary key, code text not null unique, v int default 0);
  create table child (id int primary key, parent int references parent on delete cascade on update cascade, v text);
  create table orphan (id int primary key, parent int references parent on delete set null on update cascade);
  create table fallback (id int primary key, parent text default 'none' references parent (code) on delete set default on update set null);
  create table late (id int primary key deferrable initially deferred, slot int unique deferrable initially deferred, v text);
  create table room (id int primary key, during int4range not null, exclude using gist (during with &&));
  create table ranked (id int primary key, rank int not null unique, v text);
  create table loose (a int not null, b text not null, v int, unique (b, a))`;

const tables = ["parent", "child", "orphan", "fallback", "late", "room", "ranked", "loose"];

const steps: readonly { readonly what: string; readonly text: string; readonly since?: number }[] = [
  {
    what: "plain inserts",
    text: `insert into parent select i, 'code ' || i from generate_series(1, 20) i; insert into parent values (0, 'none');
      insert into child select i, i % 20 + 1, 'child ' || i from generate_series(1, 60) i; insert into orphan select i, i % 20 + 1 from generate_series(1, 40) i;
      insert into fallback select i, 'code ' || i from generate_series(1, 20) i; insert into late select i, i, 'late ' || i from generate_series(1, 50) i;
      insert into room select i, int4range(i * 10, i * 10 + 10) from generate_series(1, 10) i; insert into ranked select i, i, 'ranked ' || i from generate_series(1, 50) i;
      insert into loose select i, 'b' || i, i from generate_series(1, 20) i`,
  },
  { what: "a foreign key that cascades deletes, sets NULL and default", text: "delete from parent where id in (3, 4, 5)" },
  {
    what: "a foreign key that cascades updates",
    text: "update parent set id = id + 100 where id in (6, 7); update parent set code = code || '!' where id = 8",
  },
  {
    what: "INSERT .. ON CONFLICT",
    text: `insert into parent select i, 'new ' || i, 1 from generate_series(1, 25) i on conflict (id) do update set v = 1, id = excluded.id + 200 where parent.id % 2 = 0;
      insert into parent values (1, 'other', 5) on conflict do nothing; insert into parent values (999, 'code 2', 5) on conflict (code) do update set v = 77`,
  },
  {
    what: "MERGE",
    since: 15,
    text: `merge into ranked r using generate_series(45, 60) i on r.id = i when matched and i = 46 then delete when matched then update set v = 'merged' when not matched then insert values (i, i + 1000, 'new')`,
  },
  { what: "COPY", text: "copy ranked from program 'printf \"5001\\t5001\\tcopied\\\\n5002\\t5002\\t\\\\\\\\N\\\\n\"'" },
  {
    what: "writable CTEs over several tables",
    text: `with gone as (delete from ranked where id between 10 and 12 returning *), back as (insert into ranked select id + 300, rank + 300, v from gone returning id),
      changed as (update loose set v = -1 where a < 5 returning a) insert into loose select a + 100, 'cte', 0 from changed union all select id, 'back', 0 from back`,
  },
  {
    what: "UPDATE .. FROM, DELETE .. USING",
    text: "update child c set v = p.code from parent p where p.id = c.parent and c.id < 20; delete from orphan o using parent p where p.id = o.parent and p.id < 3",
  },
  { what: "keys that move on by one, over a whole table", text: "update late set id = id + 1, slot = slot - 1" },
  {
    what: "unique values that move on by one while keys stay",
    text: "begin; update ranked set rank = rank + 10000; update ranked set rank = rank - 9999; commit",
  },
  {
    what: "unique values swapped between rows",
    text: "update late set slot = case slot when 3 then 4 else 3 end where slot in (3, 4); update ranked set rank = -1 where id = 1; update ranked set rank = 2 where id = 2; update ranked set rank = 3 where id = 1",
  },
  {
    what: "keys swapped between rows",
    text: "update late set id = case id when 10 then 11 else 10 end where id in (10, 11); begin; update ranked set id = -1 where id = 20; update ranked set id = 20 where id = 21; update ranked set id = 21 where id = -1; commit",
  },
  {
    what: "ranges that must not overlap change places",
    text: "begin; update room set during = 'empty' where id in (1, 2); update room set during = '[20,30)' where id = 1; update room set during = '[10,20)' where id = 2; commit",
  },
  {
    what: "a row that is deleted and comes back",
    text: "begin; delete from parent where id = 1; insert into parent values (1, 'again', 9); commit",
  },
  {
    what: "a savepoint rolled back",
    text: "begin; update ranked set v = 'kept' where id = 30; savepoint s; delete from ranked; update parent set v = -5; rollback to s; commit",
  },
  {
    what: "statements without rows",
    text: "update ranked set v = v where false; delete from child where false; insert into loose select 1, 'x', 1 where false; update loose set v = v + 1 where a = 6",
  },
  {
    what: "writes before and after a TRUNCATE in one transaction",
    text: "begin; insert into ranked values (7000, 7000, 'before'); update ranked set v = 'x' where id = 30; truncate ranked; insert into ranked values (7001, 7001, 'after'), (30, 30, 'again'); commit",
  },
  {
    what: "TRUNCATE CASCADE",
    text: "truncate parent cascade; insert into parent values (1, 'first'), (2, 'second'); insert into child values (1, 1, 'c')",
  },
  {
    what: "a TRUNCATE rolled back to a savepoint",
    text: "begin; insert into child values (2, 2, 'd'); savepoint s; truncate child; insert into child values (9, 1, 'no'); rollback to s; insert into child values (3, 2, 'e'); commit",
  },
  { what: "two TRUNCATEs in two transactions", text: "truncate loose; insert into loose values (1, 'x', 1)" },
];

/** Every kind of statement with a run after each, or all of them before one run. */
export async function followStatements(from: Major, to: Major, way: "one by one" | "all at once"): Promise<void> {
  await using rig = await openRig({ majors: [from, to], schema, tables });
  for (const { what, text, since = 0 } of steps) {
    if (from < since) continue;
    await rig.source.query(text);
    if (way === "all at once") continue;
    const { outcome } = await rig.run();
    expect({ what, outcome, differences: await rig.differences() }).toEqual({ what, outcome: "good", differences: [] });
  }
  expect((await rig.run()).outcome).toBe(way === "all at once" ? "good" : "empty");
  expect(await rig.differences()).toEqual([]);
}
