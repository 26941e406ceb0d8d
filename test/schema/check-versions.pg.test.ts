import { expect, test } from "vitest";
import { checkVersions } from "../../src/schema/check-versions.ts";
import { richSchema } from "./rich.ts";
import { side } from "./rig.ts";

const newest = 180000;

async function found(from: 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18, text: string, target: number) {
  await using source = await side("old", from);
  await source.database.query(text);
  return (await checkVersions(source.session, target)).map(({ grade, what, remedy }) => {
    expect(remedy).not.toBe("");
    return `${grade} ${what.slice(0, what.indexOf(";"))}`;
  });
}

test.each([10, 11, 12, 13, 14, 15, 16, 17, 18] as const)(
  "PostgreSQL %i can be asked for everything, upwards and downwards",
  async (major) => {
    await using source = await side("old", major);
    expect(await checkVersions(source.session, 90600)).toEqual([]);
    expect(await checkVersions(source.session, newest)).toEqual([]);
  },
);

test("a rich schema of 18 cannot go to 10: everything is named at once", async () => {
  const problems = await found(
    18,
    `${richSchema(18)}; alter default privileges in schema app revoke select on tables from pg_monitor;`,
    100000,
  );
  for (const what of [
    "virtual generated column: app.account.thrice",
    "key or foreign key over periods (WITHOUT OVERLAPS, PERIOD): app.in_periods in_periods_id_at_fkey and 1 more",
    "constraint that is NOT ENFORCED: app.enforced lax",
    "NOT NULL that is NOT VALID: app.enforced b_there",
    "built-in collation: app.plain",
    "unique index with NULLS NOT DISTINCT: app.nulls_too",
    "view with security_invoker: app.as_invoker",
    "foreign key that sets only some columns: app.set_null set_null_b_fkey",
    "publication with rows, columns or schemas chosen: filtered and 1 more",
    "function with a body of SQL statements (BEGIN ATOMIC, RETURN): app.atomic() and 1 more",
    "column of a multirange type: app.multi.m and 1 more",
    "statistics over expressions: app.on_expression",
    "stored generated column: app.account.twice",
    "collation that is not deterministic: app.insensitive",
    "foreign key to a partitioned table: app.to_partitioned to_partitioned_h_fkey",
    "procedure: app.proc()",
    "index with INCLUDE: app.covering",
    "table partitioned by hash: app.by_hash",
    "default partition: app.by_range_2d",
  ])
    expect(problems).toContain(`error ${what}`);
  expect(problems).toContain("warning privilege MAINTAIN: app.account");
  expect(problems).toContain("warning compression chosen for a column: app.account.tags");
});

test("the same schema can go where all of it is known", async () => {
  expect(await found(18, richSchema(14), 140000)).toEqual([]);
});

test("what newer versions have no more", async () => {
  const text = `create table with_numbers (a int) with oids; create table old_time (a abstime, b tinterval[]);
    create aggregate collected(anyelement) (sfunc = array_append, stype = anyarray, initcond = '{}');
    create operator !~~! (leftarg = int8, procedure = numeric_fac)`;
  expect(await found(10, text, 180000)).toEqual([
    "error table WITH OIDS: public.with_numbers",
    "error column of type abstime, reltime or tinterval: public.old_time.a and 1 more",
    "error operator behind its operand: public.!~~!",
    "error aggregate or operator over an array function of the core whose types changed: public.collected()",
  ]);
});
