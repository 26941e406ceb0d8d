import { describe, expect, test } from "vitest";
import { chooseKey } from "../../src/catalog/key.ts";
import { openDatabase, readTable } from "./open.ts";

describe("what only newer versions have", () => {
  test("11: hash partitions, whose bounds mean nothing elsewhere, and covering indexes", async () => {
    await using opened = await openDatabase(
      12,
      `create table h (id int, v text, primary key (id) include (v)) partition by hash (id);
       create table h0 partition of h for values with (modulus 2, remainder 0); create table h1 partition of h for values with (modulus 2, remainder 1)`,
    );
    const shape = await readTable(opened.session, "h");
    expect(shape.leaves.map((leaf) => leaf.portableBound)).toEqual([false, false]);
    expect(shape.keys).toMatchObject([{ columns: ["id"], primary: true, onRoot: true }]);
  });

  test("12: generated columns and nondeterministic collations", async () => {
    await using opened = await openDatabase(
      15,
      `create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       create table t (id int primary key, v text collate ci, g int generated always as (id * 2) stored)`,
    );
    expect((await readTable(opened.session, "t")).columns).toMatchObject([
      { name: "id", generated: "", collationDeterministic: true },
      { name: "v", collation: "public.ci", collationDeterministic: false },
      { name: "g", generated: "s", defaultExpression: "(id * 2)" },
    ]);
  });

  test("14: a partition that is being detached is no leaf", async () => {
    await using opened = await openDatabase(
      15,
      "create table p (a int) partition by range (a); create table p1 partition of p for values from (0) to (1); create table p2 partition of p for values from (1) to (2)",
    );
    // DETACH CONCURRENTLY waits for this transaction after its first half.
    const holder = await opened.database.client();
    await holder.query("begin; select from p");
    const other = await opened.database.client();
    const detach = other.query("alter table p detach partition p1 concurrently").catch(() => undefined);
    await expect
      .poll(async () => (await readTable(opened.session, "p")).leaves.map((leaf) => leaf.name.name), { timeout: 10_000 })
      .toEqual(["p2"]);
    await holder.query("rollback");
    await detach;
  });

  test("15: NULLS NOT DISTINCT", async () => {
    await using opened = await openDatabase(15, "create table t (a int unique nulls not distinct)");
    const shape = await readTable(opened.session, "t");
    expect(shape.keys).toMatchObject([{ nullsNotDistinct: true }]);
    expect(chooseKey(shape, null)).toBeNull();
  });

  test("18: virtual columns, NOT NULL that is not valid, and WITHOUT OVERLAPS", async () => {
    await using opened = await openDatabase(
      18,
      `create extension btree_gist;
       create table t (a int, b int generated always as (a + 1), unique (a));
       alter table t add constraint n not null a not valid;
       create table w (a int, d daterange, primary key (a, d without overlaps))`,
    );
    const shape = await readTable(opened.session, "t");
    expect(shape.columns).toMatchObject([{ notNull: false }, { generated: "v", defaultExpression: "(a + 1)" }]);
    expect(chooseKey(shape, null)).toBeNull();
    expect((await readTable(opened.session, "w")).keys).toEqual([]);
    await opened.database.query("alter table t validate constraint n");
    expect(chooseKey(await readTable(opened.session, "t"), null)).toMatchObject({ columns: ["a"] });
  });
});
