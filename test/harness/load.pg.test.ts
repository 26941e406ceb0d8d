import { expect, test } from "vitest";
import { createDatabase } from "./database.ts";
import { equalTables } from "./equal-tables.ts";
import { createPgbench, fillPgbench, pgbenchTables } from "./pgbench.ts";
import { sharedServer } from "./shared-server.ts";
import { createTransfers, totalOfTransfers } from "./transfers.ts";
import { writers } from "./writers.ts";

const types = `create table public."Odd name" (
    id int primary key, f float8, r real, n numeric, t text, b bytea, ts timestamptz, j jsonb, c char(5), "it's" text, a int[]);
  insert into public."Odd name" values
    (1, 0.1, 1.1, 1.50, E'tab\\t, quote '' and \\\\', '\\x00ff', '2020-01-01 12:00:00.123456+02', '{"a": 1}', 'ab', 'x', '{1,2}'),
    (2, 'NaN', '-Infinity', 'NaN', 'é', null, 'infinity', null, null, '', '{}')`;

test("equal tables are equal across versions and encodings, and each difference is shown", async () => {
  await using old = await createDatabase(await sharedServer(10), { encoding: "LATIN1" });
  await using young = await createDatabase(await sharedServer(18));
  await old.query(types);
  await young.query(types);
  expect(await equalTables(old, young, ['"Odd name"'])).toEqual([]);
  await young.query(`update public."Odd name" set f = 0.10000000000000002 where id = 1; delete from public."Odd name" where id = 2`);
  const differences = await equalTables(old, young, ['public."Odd name"']);
  expect(differences).toHaveLength(4);
  expect(differences[0]).toBe('public."Odd name": 2 rows in source, 1 in target');
});

test("writers write until they are stopped, and transfers keep the sum", async () => {
  await using database = await createDatabase(await sharedServer(15));
  const client = await database.client();
  await createPgbench(client);
  await fillPgbench(client, 1);
  await createTransfers(client, 50);
  await using bank = writers(database, { clients: 2, kind: "pgbench" });
  await using moves = writers(database, { clients: 2, kind: "transfers" });
  await bank.more(20);
  await moves.more(200);
  expect(await moves.stop()).toBeGreaterThanOrEqual(200);
  const commits = await bank.stop();
  expect(await database.one("select count(*)::int as rows from public.pgbench_history")).toEqual({ rows: commits });
  expect(await database.one(totalOfTransfers)).toEqual({ total: "50000" });
  expect(await equalTables(database, database, pgbenchTables)).toEqual([]);
});

test("a writer's failure is reported when it is stopped", async () => {
  await using database = await createDatabase(await sharedServer(15));
  await using moves = writers(database, { clients: 1, kind: "transfers" });
  await expect(moves.more(1)).rejects.toThrow(/transfers_account/);
});
