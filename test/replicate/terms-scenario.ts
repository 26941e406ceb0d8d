import { expect } from "vitest";
import { readSelectList } from "../../src/model/expression.ts";
import type { Terms } from "../../src/model/terms.ts";
import type { Major } from "../harness/binaries.ts";
import type { TestDatabase } from "../harness/database.ts";
import { openCopyRig } from "../copy/rig.ts";

const SOURCE = `create schema shop;
  create table shop.item (id integer, "Lot" text, price numeric(10,2), name text, hidden boolean not null default false, primary key (id, "Lot"));
  create table event (id bigint, at date not null, kind text not null, body text, primary key (id, at)) partition by range (at)`;
const LEAVES = `create table event_2020 partition of event for values from ('2020-01-01') to ('2021-01-01');
  create table event_2021 partition of event for values from ('2021-01-01') to ('2022-01-01')`;
const TARGET = `create schema "Old shop";
  create table "Old shop"."item.s" ("Key" integer, lot text, label text unique, cents bigint, seen boolean default true, primary key ("Key", lot));
  create table happening (number bigint, day date, kind text, primary key (number, day))`;

const ITEM: Terms = {
  name: { schema: "Old shop", name: "item.s" },
  columns: readSelectList(`id as "Key", "Lot" as lot, lower(name) || '/' || item."Lot" as label, (price * 100)::bigint as cents`),
  filter: "not hidden and price > 1",
};
const EVENT: Terms = {
  name: { schema: "public", name: "happening" },
  columns: readSelectList("select id as number, at as day, kind"),
  filter: "kind <> 'noise'",
};

const ITEMS = `select id, "Lot", lower(name) || '/' || "Lot" as label, (price * 100)::bigint as cents, true as seen from shop.item where not hidden and price > 1 order by 1, 2`;
const EVENTS = "select id, at::text, kind from event where kind <> 'noise' order by 1, 2";

/** Names, keys, columns and rows that differ: through pieces, runs, TRUNCATE, changes of the structure and other terms. Partitioned on the source only. */
export async function termsScenario(majors: readonly [Major, Major]): Promise<void> {
  // Without a default key the partitions of 10 have one each.
  const schema =
    majors[0] === 10
      ? `${SOURCE.replace(", primary key (id, at)", "")}; ${LEAVES.replaceAll(/event_(\d+) partition of event/g, "event_$1 partition of event (primary key (id, at))")}`
      : `${SOURCE}; ${LEAVES}`;
  await using rig = await openCopyRig({ majors, schema, targetSchema: TARGET, tables: ["shop.item", "event"] });
  const { source, target } = rig;
  await source.query(`insert into shop.item select n, 'lot ' || n % 7, n / 10.0, 'Item ' || n, n % 5 = 0 from generate_series(1, 5000) n;
    insert into event select n, date '2020-01-01' + n % 700, case when n % 4 = 0 then 'noise' else 'kind ' || n % 3 end, repeat('x', 100) from generate_series(1, 4000) n`);
  rig.rig.adopt(rig.rig.relations.map((relation) => ({ ...relation, terms: relation.name.name === "item" ? ITEM : EVENT })));
  const tables = rig.rig.relations.map(({ name, terms }) => ({ ...name, terms }));
  let step = 0;
  const equal = async (): Promise<void> => {
    step++;
    expect(
      await values(target, `select "Key", lot, label, cents, seen from "Old shop"."item.s" order by 1, 2`),
      `items, step ${step}`,
    ).toEqual(await values(source, ITEMS));
    expect(await values(target, "select number, day::text, kind from happening order by 1, 2"), `events, step ${step}`).toEqual(
      await values(source, EVENTS),
    );
  };

  const result = await rig.copy({ tables, pieceBytes: 64 * 1024 });
  expect(result.tables).toBe(2);
  await equal();
  // What changes between the copy and the first run, and then from run to run.
  const changes = [
    `update shop.item set hidden = not hidden where id % 11 = 0; delete from shop.item where id between 100 and 150; update shop.item set id = id + 10000 where id between 200 and 210;
     update event set kind = 'noise' where id % 9 = 1; update event set kind = 'heard' where kind = 'noise' and id % 8 = 0; delete from event where id < 20`,
    `insert into shop.item values (20000, 'new', 5, 'New'), (20001, 'new', 0.5, 'Cheap'); update shop.item set price = 0.1 where id = 300; update event set at = at + ${majors[0] === 10 ? 7 : 365} where at < '2020-06-01'`,
    // The labels are unique on the target and change places.
    `update shop.item set name = case id when 301 then 'Item 302' else 'Item 301' end, "Lot" = 'same' where id in (301, 302)`,
    `truncate event_2020; insert into event values (1, '2020-05-05', 'again', null)`,
    `truncate shop.item; insert into shop.item values (1, 'a', 2, 'One'), (2, 'a', 2, 'Two')`,
    "drop table event_2021",
  ];
  for (const change of changes) {
    await source.query(change);
    await rig.rig.run();
    await equal();
  }
  expect((await rig.rig.run()).outcome).toBe("empty");

  // Other terms: no row was changed, and the table is copied all the same, once.
  rig.rig.adopt(rig.rig.relations.map((relation) => ({ ...relation, terms: { ...relation.terms!, filter: null } })));
  expect((await rig.rig.run()).tables).toMatchObject([{ refilled: true }, { refilled: true }]);
  expect((await rig.rig.run()).outcome).toBe("empty");
  await source.query("alter table shop.item drop column name; update shop.item set price = 3");
  await expect(rig.rig.run()).rejects.toMatchObject({ code: "schema-mismatch", details: { table: "shop.item" } });
}

async function values(database: TestDatabase, text: string): Promise<unknown[][]> {
  return (await database.query(text)).map((row) => Object.values(row));
}
