import { expect, test } from "vitest";
import { footprint } from "../harness/footprint.ts";
import { openMove } from "./open-move.ts";

const everything = `
  create extension postgres_fdw; create server far foreign data wrapper postgres_fdw; create user mapping for public server far options (user 'x');
  create foreign data wrapper own; create server near foreign data wrapper own; grant usage on foreign server near to public;
  alter default privileges grant select on tables to public; alter default privileges in schema public grant execute on functions to public;
  create type kind as enum ('a'); create function kind(int) returns kind language sql as $$ select 'a'::kind $$; create cast (int as kind) with function kind(int);
  create cast (bytea as text) without function;
  grant create on schema public to public; comment on schema public is 'mine'; alter schema public owner to pg_monitor; comment on extension plpgsql is 'ours';
  revoke execute on function pg_catalog.pg_sleep(double precision) from public;
  create table t (id int primary key); insert into t values (1); create publication p for table t; select lo_create(7);
  create function quiet() returns event_trigger language plpgsql as $$ begin end $$; create event trigger quiet on ddl_command_end execute procedure quiet();
  do $$ begin execute format('comment on database %I is %L', current_database(), 'shop'); execute format('alter database %I set work_mem = ''5MB''', current_database());
    execute format('alter role postgres in database %I set work_mem = ''6MB''', current_database()); execute format('alter database %I connection limit 77', current_database());
    execute format('revoke temporary on database %I from public', current_database()); end $$`;

test("a move that is given up leaves what was there as it was, with owners, rights and comments, and nothing else", async () => {
  await using move = await openMove(everything, [12, 18]);
  // What somebody prepared there is to stay, also where the old side has it otherwise.
  await move.young
    .query(`create extension postgres_fdw; comment on schema public is 'prepared'; grant usage on schema public to pg_monitor with grant option;
      alter default privileges in schema public grant select on tables to pg_monitor; grant execute on function pg_catalog.pg_sleep(double precision) to pg_monitor;
      do $$ begin execute format('alter database %I set search_path = "$user", "a b", public', current_database()); execute format('alter database %I connection limit 99', current_database()); end $$`);
  const before = await footprint(move.young);
  await move.start();
  const during = await footprint(move.young);
  for (const part of [
    "server far",
    "server near",
    "wrapper own",
    "cast integer as kind",
    "cast bytea as text",
    "publication p",
    "event trigger quiet",
  ])
    expect(during).toContain(part);
  expect(during).toContain("schema public of pg_monitor: mine");
  await move.abort();
  expect(await footprint(move.young)).toEqual(before);
  // And it is as good as new.
  expect((await move.plan()).findings.filter(({ grade }) => grade === "stop")).toEqual([]);
});
