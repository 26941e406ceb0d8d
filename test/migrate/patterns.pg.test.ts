import { expect, test } from "vitest";
import { openMove } from "./open-move.ts";

const schema = `create table kept (id serial primary key, v text); insert into kept (v) values ('a');
  create schema audit; create table audit.log (id serial primary key, line text); insert into audit.log (line) values ('x');
  create table part (id int primary key) partition by range (id); create table part_1 partition of part for values from (0) to (9); insert into part values (1);
  create view seen as select * from audit.log; create table plain (line text); create sequence loose`;

test("what stays behind by choice is no hindrance for the cutover, and goes on being written to", async () => {
  await using move = await openMove(schema, [16, 16], { skip: ["audit.*", "plain"] });
  await move.start();
  await move.old.query("insert into audit.log (line) values ('y'); insert into plain values ('z'); insert into kept (v) values ('b')");
  const report = await move.turn("cutover");
  expect({ outcome: report.outcome, why: report.why?.message }).toEqual({ outcome: "switched", why: undefined });
  expect(await move.young.query("select v from kept order by id")).toEqual([{ v: "a" }, { v: "b" }]);
  expect(
    await move.young.query("select to_regclass('audit.log') as log, to_regclass('seen') as seen, to_regclass('plain') as plain"),
  ).toEqual([{ log: null, seen: null, plain: null }]);
  await move.old.query("insert into audit.log (line) values ('still here')");
  await expect(move.old.query("insert into kept (v) values ('c')")).rejects.toMatchObject({ code: "BU001" });
});
