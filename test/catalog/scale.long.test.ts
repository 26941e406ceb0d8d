import { expect, test } from "vitest";
import { readSequences } from "../../src/catalog/sequence.ts";
import { readTables } from "../../src/catalog/table.ts";
import { transaction } from "../../src/postgres/transaction.ts";
import { openDatabase } from "./open.ts";

const COUNT = 5000;

/** DDL of many tables, a few hundred to a transaction: each holds locks until its end. */
function many(text: (index: number) => string): string[] {
  return Array.from({ length: COUNT / 250 }, (_, batch) => Array.from({ length: 250 }, (__, index) => text(batch * 250 + index)).join(";"));
}

test.for([10, 12, 18] as const)("%i: 5,000 tables, sequences and partitions are read on a server with default settings", async (major) => {
  await using opened = await openDatabase(major);
  const { database, session } = opened;
  for (const batch of many(
    (index) => `create table t${index} (id serial primary key, a text default 'x', b numeric(10, 2), c timestamptz)`,
  ))
    await database.query(batch);
  await database.query("create table p (id int) partition by range (id)");
  for (const batch of many((index) => `create table p${index} partition of p for values from (${index}) to (${index + 1})`))
    await database.query(batch);
  const names = Array.from({ length: COUNT }, (_, index) => ({ schema: "public", name: `t${index}` }));
  const start = performance.now();
  const tables = await readTables(session, names);
  const seconds = (performance.now() - start) / 1000;
  expect(tables.size).toBe(COUNT);
  expect(seconds).toBeLessThan(20);
  expect(
    (
      await readSequences(
        session,
        names.map(({ schema, name }) => ({ schema, name: `${name}_id_seq` })),
      )
    ).size,
  ).toBe(COUNT);
  const root = (await readTables(session, [{ schema: "public", name: "p" }])).get("public.p")!;
  expect(root.leaves).toHaveLength(COUNT);
  expect(root.leaves.every((leaf) => leaf.bound !== null)).toBe(true);
  // Inside a transaction the locks of the bounds stay; without bounds there are none.
  await transaction(session, { isolation: "repeatable read", readOnly: true }, async () => {
    await readTables(session, [...names, { schema: "public", name: "p" }], { bounds: false });
    const [held] = await database.query<{ n: string }>(
      "select count(*) as n from pg_locks where pid = $1 and relation >= 16384 and relation::regclass::text ~ '^[tp]'",
      [session.backendPid],
    );
    expect(held!.n).toBe("0");
  });
});
