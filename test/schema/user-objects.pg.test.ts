import { expect, test } from "vitest";
import { userObjects } from "../../src/schema/user-objects.ts";
import { side } from "./rig.ts";

test.each([10, 18] as const)("PostgreSQL %i: a new database has none, extensions do not count", async (major) => {
  await using empty = await side("new", major);
  expect(await userObjects(empty.session)).toEqual([]);
  await empty.database.query("create extension citext; create extension postgres_fdw");
  expect(await userObjects(empty.session)).toEqual([]);
});

test.each([10, 18] as const)("PostgreSQL %i: everything that users make", async (major) => {
  await using full = await side("new", major);
  await full.database.query(`
    create schema "s ""1"; create table "s ""1".t (id serial); create view v as select 1 as a; create materialized view m as select 1 as a;
    create function f() returns int language sql as 'select 1'; create type e as enum ('a'); create domain d as int; create type c as (a int);
    create collation german from "C"; create publication p; create foreign data wrapper w; create server far foreign data wrapper w;
    create function on_ddl() returns event_trigger language plpgsql as $$ begin null; end $$; create event trigger ddl on ddl_command_end execute procedure on_ddl();
    create text search configuration words (copy = simple); create operator <~> (leftarg = text, rightarg = text, procedure = texteq);
    select lo_create(4711); create temporary table gone (a int);
    create table partitioned (a int) partition by list (a)`);
  expect(await userObjects(full.session)).toEqual(
    [
      "collation public.german",
      "event trigger ddl",
      "foreign server far",
      "function public.f",
      "function public.on_ddl",
      'large object "4711"',
      "materialized view public.m",
      'operator public."<~>"',
      "publication p",
      'schema "s ""1"',
      'sequence "s ""1".t_id_seq',
      'table "s ""1".t',
      "table public.partitioned",
      "text search configuration public.words",
      "type public.c",
      "type public.d",
      "type public.e",
      "view public.v",
    ].toSorted(),
  );
});
