import { expect } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { openRig } from "./rig.ts";

const columns = "region text not null, at date not null, id int not null, v text";

/** List over range and hash, with defaults; one leaf has another order of columns and had one more. */
const tree = `
  create table m (${columns}, primary key (region, at, id)) partition by list (region);
  create table m_eu partition of m for values in ('de', 'fr') partition by range (at);
  create table m_eu_23 partition of m_eu for values from ('2023-01-01') to ('2024-01-01');
  create table m_eu_24 partition of m_eu for values from ('2024-01-01') to ('2025-01-01');
  create table m_eu_rest partition of m_eu default;
  create table m_us (v text, junk int, at date not null, id int not null, region text not null);
  alter table m_us drop column junk;
  alter table m attach partition m_us for values in ('us');
  create table m_other partition of m default partition by hash (id);
  create table m_other_0 partition of m_other for values with (modulus 2, remainder 0);
  create table m_other_1 partition of m_other for values with (modulus 2, remainder 1)`;

const plain = `create table m (${columns}, primary key (region, at, id))`;

const otherwise = `
  create table m (${columns}, primary key (region, at, id)) partition by hash (id);
  create table m_0 partition of m for values with (modulus 3, remainder 0);
  create table m_1 partition of m for values with (modulus 3, remainder 1);
  create table m_2 partition of m for values with (modulus 3, remainder 2)`;

const fill = `
  insert into m select r, d, i, r || i from unnest('{de,fr,us,jp,br}'::text[]) r, unnest('{2022-05-05,2023-05-05,2024-05-05}'::date[]) d, generate_series(1, 8) i`;

/** Writes that fit every tree, with what is special about them. `since`: the source's major that can do it. */
const steps: readonly { readonly what: string; readonly since?: number; readonly text: string; readonly refilled?: boolean }[] = [
  { what: "inserts through the root", text: fill },
  {
    what: "inserts through branch and leaf",
    text: "insert into m_eu values ('fr', '2023-07-07', 101, 'branch'); insert into m_eu_24 values ('de', '2024-07-07', 102, 'leaf'); insert into m_us (region, at, id, v) values ('us', '2024-07-07', 103, 'leaf')",
  },
  {
    what: "rows that move between leaves, through the root",
    text: "update m set region = 'us', v = 'moved', id = id + 20 where region = 'de' and id <= 3",
  },
  {
    what: "rows that move within a branch",
    text: "update m_eu set at = '2024-12-31' where region = 'fr' and at < '2023-01-01' and id <= 3",
  },
  {
    what: "rows that move into the default's hash leaves and out of them",
    text: "update m set region = 'jp', id = id + 50 where region = 'us' and id = 7; update m set region = 'us', id = id + 60 where region = 'br' and id < 3",
  },
  { what: "updates through leaves", text: "update m_eu_23 set v = 'leaf update'; update m_us set id = id + 1000 where id = 5" },
  {
    what: "deletes through root, branch and leaf",
    text: "delete from m where id = 2; delete from m_eu where id = 4; delete from m_us where id = 6; delete from m_other_0 where at < '2023-01-01'",
  },
  {
    what: "INSERT .. ON CONFLICT through the root",
    text: "insert into m select 'us', '2024-05-05', i, 'conflict' from generate_series(1, 12) i on conflict (region, at, id) do update set v = excluded.v",
  },
  {
    what: "a swap between leaves in one statement",
    text: "update m set region = case region when 'us' then 'fr' else 'us' end, id = id + 30 where region in ('us', 'fr') and at = '2023-05-05' and id in (1, 8)",
  },
  {
    what: "MERGE that moves, inserts and deletes",
    since: 15,
    text: `merge into m using (select 'us' as region, '2024-05-05'::date as at, i as id from generate_series(8, 20) i) n on m.region = n.region and m.at = n.at and m.id = n.id
           when matched and m.id = 9 then delete when matched then update set region = 'fr', id = m.id + 40 when not matched then insert values ('jp', n.at, n.id, 'merged')`,
  },
  {
    what: "a leaf truncated after and before writes of the same transaction",
    text: "begin; insert into m values ('de', '2023-08-08', 200, 'before'); truncate m_eu_23; insert into m values ('de', '2023-08-08', 201, 'after'); commit",
  },
  {
    what: "a branch truncated",
    text: "begin; truncate m_eu; insert into m_eu values ('de', '2019-01-01', 300, 'rest'), ('fr', '2024-01-01', 301, '24'); commit",
  },
  {
    what: "a hash leaf truncated",
    text: "truncate m_other_1; insert into m values ('cn', '2024-01-01', 400, 'x'), ('cn', '2024-01-01', 401, 'x')",
    refilled: true,
  },
  {
    what: "a leaf made and filled",
    text: "create table m_se partition of m for values in ('se'); insert into m values ('se', '2024-01-01', 500, 'root'); insert into m_se values ('se', '2024-01-01', 501, 'leaf')",
  },
  { what: "a row that moves into the new leaf", text: "update m set region = 'se' where id = 300" },
  {
    what: "a filled table attached",
    text: `create table m_no (id int not null, v text, at date not null, region text not null); insert into m_no select i, 'attached', '2024-02-02', 'no' from generate_series(600, 620) i;
           alter table m attach partition m_no for values in ('no'); update m_no set v = 'changed' where id = 600`,
  },
  {
    what: "a leaf detached and written to",
    text: "alter table m detach partition m_us; insert into m_us values ('detached', '2024-01-01', 700, 'us'); delete from m_us where id < 10",
  },
  { what: "a leaf dropped", text: "drop table m_eu_24; update m set v = 'after the drop'" },
  {
    what: "the detached leaf back",
    text: "alter table m attach partition m_us for values in ('us'); update m set v = 'back' where region = 'us'",
  },
  {
    what: "the root truncated",
    text: "begin; insert into m values ('us', '2024-01-01', 800, 'x'); truncate m; insert into m values ('us', '2024-01-01', 801, 'y'); commit",
    refilled: true,
  },
];

/** What the target looks like. */
export const shapes = { same: tree, plain, otherwise } as const;

/** A partition tree on the source; every way to write to it, and parts that come and go. */
export async function followTree(from: Major, to: Major, shape: keyof typeof shapes): Promise<void> {
  const targetSchema = shapes[shape];
  await using rig = await openRig({ majors: [from, to], schema: tree, targetSchema, tables: ["m"] });
  const born = await rig.source.one("select pg_postmaster_start_time()::text as at");
  for (const { what, text, since = 0, refilled = false } of steps) {
    if (from < since) continue;
    if (targetSchema === tree && text.includes("partition")) await followStructure(rig.target, what);
    await rig.source.query(text);
    const { outcome, tables } = await rig.run();
    expect({ what, outcome, refilled: tables.map((table) => table.refilled) }).toEqual({ what, outcome: "good", refilled: [refilled] });
    expect({ what, differences: await rig.differences() }).toEqual({ what, differences: [] });
  }
  expect((await rig.run()).outcome).toBe("empty");
  expect(await rig.source.one("select pg_postmaster_start_time()::text as at")).toEqual(born);
}

/** The same tree needs the same new leaves; rows of a table that is to be attached come from the source. */
async function followStructure(target: { query(text: string): Promise<unknown> }, what: string): Promise<void> {
  if (what === "a leaf made and filled") await target.query("create table m_se partition of m for values in ('se')");
  if (what === "a filled table attached") await target.query("create table m_no partition of m for values in ('no')");
}

/** A plain table on the source and a partitioned one on the target. */
export async function followIntoTree(from: Major, to: Major, shape: keyof typeof shapes): Promise<void> {
  const targetSchema = shapes[shape];
  await using rig = await openRig({ majors: [from, to], schema: plain, targetSchema, tables: ["m"] });
  for (const { what, text } of steps) {
    if (/m_|merge/.test(text)) continue;
    await rig.source.query(text);
    await rig.run();
    expect({ what, differences: await rig.differences() }).toEqual({ what, differences: [] });
  }
}

/** In 10 every leaf has its own key and no row moves. */
export async function followTen(from: Major, to: Major): Promise<void> {
  const ten = `
    create table m (id int not null, at date not null, v text) partition by range (at);
    create table m_23 partition of m (primary key (at, id)) for values from ('2023-01-01') to ('2024-01-01');
    create table m_24 partition of m for values from ('2024-01-01') to ('2025-01-01') partition by list (id);
    create table m_24_a partition of m_24 (primary key (at, id)) for values in (1, 2, 3);
    create table m_24_b partition of m_24 (primary key (at, id)) for values in (4, 5, 6, 7)`;
  await using rig = await openRig({
    majors: [from, to],
    schema: ten,
    tables: [{ table: { schema: "public", name: "m" }, key: ["at", "id"] }],
  });
  const writes = [
    "insert into m select i, d, 'v' || i from generate_series(1, 7) i, unnest('{2023-05-05,2024-05-05}'::date[]) d; insert into m_24 values (7, '2024-01-01', 'branch'); insert into m_23 values (7, '2023-01-01', 'leaf')",
    "update m set v = 'root' where id = 1; update m_24 set v = 'branch' where id = 2; update m_24_b set v = 'leaf', id = 6 where id = 7 and at = '2024-01-01'; delete from m where id = 5; delete from m_23 where id = 4",
    "begin; insert into m values (1, '2024-09-09', 'before'); truncate m_24_a; insert into m values (2, '2024-09-09', 'after'); commit",
    "truncate m_24; insert into m values (3, '2024-10-10', 'x')",
    "create table m_25 partition of m (primary key (at, id)) for values from ('2025-01-01') to ('2026-01-01'); insert into m values (1, '2025-01-01', 'new leaf')",
    "alter table m detach partition m_23; drop table m_24_b",
    "truncate m; insert into m values (1, '2025-05-05', 'end')",
  ];
  for (const text of writes) {
    if (text.startsWith("create table")) await rig.target.query(text.split(";")[0]!);
    await rig.source.query(text);
    expect((await rig.run()).outcome).toBe("good");
    expect({ text, differences: await rig.differences() }).toEqual({ text, differences: [] });
  }
}
