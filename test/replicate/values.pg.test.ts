import { expect, test } from "vitest";
import { canCopyBinary } from "../../src/replicate/binary.ts";
import { readTables } from "../../src/catalog/table.ts";
import { sql } from "../../src/postgres/sql.ts";
import { createDatabase } from "../harness/database.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { openSession } from "./rig.ts";
import { userTypes, valueCases } from "./value-case.ts";
import { replicateEveryValue } from "./value-scenario.ts";

test.for([
  [10, 18, "Odd Ext"],
  [18, 15, "elsewhere"],
] as const)("values of every type cross from %i to %i, with extensions in schema %s there", ([from, to, home]) =>
  replicateEveryValue(from, to, home),
);

test("a type crosses as binary only where its form is the same everywhere", async () => {
  await using database = await createDatabase(await sharedServer(18));
  await database.query(userTypes("Odd Ext"));
  await database.query("create type tree as (m mood, p percent)");
  await database.query(`create table t (id int primary key, ${valueCases.map(({ type }, index) => `v${index} ${type}`).join(", ")})`);
  await using session = await openSession(database, "database");
  const { columns } = (await readTables(session, [{ schema: "public", name: "t" }])).get("public.t")!;
  const binary = valueCases.map((each, index) => {
    const column = columns.find(({ name }) => name === `v${index}`)!;
    return { type: each.type, binary: canCopyBinary([{ source: column, target: column }], { source: 160000, target: 100000 }) };
  });
  expect(binary).toEqual(valueCases.map(({ type, binary: wanted = false }) => ({ type, binary: wanted })));
});

test("money crosses as the same number whatever language a database counts in", async () => {
  await using database = await createDatabase(await sharedServer(15));
  await database.query(`alter database "${database.name}" set lc_monetary = 'C.UTF-8'`);
  await using session = await openSession(database, "database");
  expect(await session.one(sql("test.language", "show lc_monetary"))).toEqual({ lc_monetary: "C" });
});
