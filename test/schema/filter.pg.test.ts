import { expect, test } from "vitest";
import { dump, failuresOf, restoreAll, side } from "./rig.ts";

const text = `
  create schema app; create schema audit; create type app.mood as enum ('a'); create sequence app.shared; create sequence app.alone;
  create table app.users (id serial primary key, m app.mood, n int default nextval('app.shared'));
  create table app.orders (id int primary key, u int references app.users);
  create table audit.log (id int primary key, u int references app.users); create index log_idx on audit.log (u); comment on table audit.log is 'l';
  grant select on audit.log to public; create view app.seen as select * from audit.log; create materialized view app.sum as select count(*) from app.seen;
  create function app.f() returns trigger language plpgsql as 'begin return null; end'; create trigger tr after insert on audit.log for each statement execute procedure app.f();
  alter table audit.log enable row level security; create policy p on audit.log using (true); create publication pub for table audit.log, app.users;
  create table app.parted (id int, at int) partition by list (at); create table audit.part partition of app.parted for values in (1);
  create table app.holder (l audit.log);`;

test("--skip: a schema's tables stay behind, with all that needs them", async () => {
  await using source = await side("old", 18);
  await using target = await side("new", 18);
  await source.database.query(text);
  const { objects, notes } = await dump(source, 180000, { pgDump: "built-in", patterns: { only: [], skip: ["audit.*"] } });
  const ids = objects.map(({ id }) => id);
  expect(ids.filter((id) => /log|seen|sum|tr$/.test(id))).toEqual([]);
  // A partition goes with its root.
  expect(ids).toEqual(
    expect.arrayContaining([
      "TABLE app.users",
      "TABLE app.orders",
      "TABLE audit.part",
      "SCHEMA audit",
      "PUBLICATION TABLE app.pub users",
      "SEQUENCE app.alone",
    ]),
  );
  expect(notes.map(({ grade, what }) => `${grade} ${what}`)).toEqual([
    "error TABLE app.holder is left out: it needs a table that stays behind",
    "warning VIEW app.seen is left out: it needs a table that stays behind",
    "warning MATERIALIZED VIEW app.sum is left out: it needs a table that stays behind",
    "warning PUBLICATION TABLE audit.pub log is left out: it needs a table that stays behind",
  ]);
  expect(failuresOf(await restoreAll(target, objects))).toEqual([]);
});

test("--only: what comes brings its sequences; a foreign key to what stays is left out and told", async () => {
  await using source = await side("old", 15);
  await using target = await side("new", 15);
  await source.database.query(text);
  const { objects, notes } = await dump(source, 150000, { pgDump: "built-in", patterns: { only: ["orders", "app.parted"], skip: [] } });
  const tables = objects.filter(({ kind }) => kind === "TABLE" || kind === "SEQUENCE").map(({ id }) => id);
  expect(tables.toSorted()).toEqual(["TABLE app.orders", "TABLE app.parted", "TABLE audit.part"]);
  expect(notes.map(({ what }) => what)).toContain("FK CONSTRAINT app.orders orders_u_fkey is left out: it needs a table that stays behind");
  expect(failuresOf(await restoreAll(target, objects))).toEqual([]);
  const users = await dump(source, 150000, { pgDump: "built-in", patterns: { only: ["users"], skip: [] } });
  expect(users.objects.filter(({ kind }) => kind === "SEQUENCE").map(({ id }) => id)).toEqual([
    "SEQUENCE app.shared",
    "SEQUENCE app.users_id_seq",
  ]);
});
