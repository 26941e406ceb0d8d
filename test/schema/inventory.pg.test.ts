import { expect, test } from "vitest";
import { readInventory } from "../../src/schema/inventory.ts";
import { richSchema } from "./rich.ts";
import { side } from "./rig.ts";

test.each([10, 14, 18] as const)("PostgreSQL %i: what a rich database holds", async (major) => {
  await using source = await side("old", major);
  await source.database.query(richSchema(major));
  await source.database
    .query(`create table app.big (id int primary key, v text); insert into app.big select n, repeat('x', 500) from generate_series(1, 5000) n; analyze app.big;
    select lo_from_bytea(0, repeat('y', 5000)::bytea); create schema bucardo; create table bucardo.ours (id int)`);
  const holder = await source.database.client();
  await holder.query(
    "begin; select pg_current_xact_id_if_assigned()".replace("pg_current_xact_id_if_assigned", "txid_current_if_assigned"),
  );
  const inventory = await readInventory(source.session);
  expect(inventory.database).toMatchObject({ name: source.database.name, owner: "postgres", encoding: "UTF8", inRecovery: false });
  expect(inventory.tables[0]).toMatchObject({
    schema: "app",
    name: "big",
    rows: 5000,
    key: ["id"],
    noKey: null,
    partitions: 0,
    kind: "plain",
    owner: "postgres",
  });
  expect(inventory.tables[0]!.bytes).toBeGreaterThan(5000 * 500);
  const named = new Map(inventory.tables.map((table) => [table.name, table]));
  expect(named.get("keyless")).toMatchObject({ key: null, noKey: expect.stringContaining("no PRIMARY KEY") });
  expect(named.get("fast")).toMatchObject({ persistence: "u" });
  expect(named.get("child")).toMatchObject({ inherits: true });
  expect(named.get('Ta"ble')).toMatchObject({ key: ["a", "b"] });
  expect(named.get("by_range")).toMatchObject({ kind: "partitioned", partitions: major === 10 ? 2 : 3 });
  expect(named.has("by_range_1") || named.has("ours")).toBe(false);
  expect(inventory.sequences).toContainEqual({ schema: "app", name: "Odd Seq" });
  expect(inventory.foreignTables).toEqual([{ schema: "app", name: "remote" }]);
  expect(inventory.materializedViews.map(({ name, populated }) => [name, populated])).toContainEqual(["empty", false]);
  expect(inventory.largeObjects).toMatchObject({ count: 1, bytes: expect.any(Number) });
  expect(inventory.extensions.map(({ name }) => name)).toEqual(["btree_gist", "citext", "plpgsql"]);
  expect(inventory.collations.map(({ name }) => name)).toContain("german");
  expect(inventory.publications.map(({ name }) => name)).toEqual(expect.arrayContaining(["a_few", "everything"]));
  expect(inventory.eventTriggers).toEqual([{ name: "ddl", event: "ddl_command_end", enabled: "D" }]);
  expect(inventory.settings).toMatchObject({ max_connections: "200" });
  expect(inventory.longTransactions).toEqual([]);
  expect(inventory.preparedTransactions).toEqual([]);
  expect(inventory.slots).toEqual([]);
});

test("of a database with nothing in it", async () => {
  await using source = await side("old", 10);
  expect(await readInventory(source.session)).toMatchObject({ tables: [], sequences: [], largeObjects: { count: 0 } });
});
