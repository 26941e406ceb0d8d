import { describe, expect, it } from "vitest";
import { canUpsert, chooseKey, refusal, type Key } from "./key.ts";
import { column, key } from "../../test/catalog/shape.ts";

const columns = [
  column("id", "integer", { notNull: true }),
  column("big", "bigint", { notNull: true }),
  column("name", "text", { notNull: true }),
  column("nullable", "integer"),
];
const of = (...keys: Key[]) => ({ columns, keys });
const pk = key("pk", ["id"], { primary: true });

describe("chooseKey", () => {
  it.each<[string, Key[], string | null]>([
    ["the primary key first", [key("a", ["id"]), key("pk", ["name", "big"], { primary: true })], "pk"],
    ["a deferrable primary key too", [key("a", ["id"]), key("pk", ["big"], { primary: true, deferrable: true })], "pk"],
    ["fewest columns", [key("two", ["id", "big"]), key("one", ["name"])], "one"],
    ["then the narrowest", [key("text", ["name"]), key("eight", ["big"]), key("four", ["id"])], "four"],
    ["then by name", [key("b", ["id"]), key("a", ["id"])], "a"],
    ["no index that may hold NULL", [key("n", ["nullable"]), key("m", ["id", "nullable"])], null],
    ["not even NULLS NOT DISTINCT", [key("n", ["nullable"], { nullsNotDistinct: true })], null],
    ["NULLS NOT DISTINCT over NOT NULL", [key("n", ["id"], { nullsNotDistinct: true })], "n"],
    ["no invalid index", [key("i", ["id"], { valid: false })], null],
    ["no deferrable unique constraint by itself", [key("d", ["id"], { deferrable: true })], null],
    ["one on the root before one of the leaves", [key("leaf", ["id"], { onRoot: false }), key("root", ["id", "big"])], "root"],
    ["none", [], null],
  ])("takes %s", (_, keys, name) => {
    expect(chooseKey(of(...keys), null)?.name ?? null).toBe(name);
  });

  it("takes a key chosen by hand in any order of its columns, and only with an index of exactly these", () => {
    const table = of(pk, key("two", ["big", "name"]), key("deferred", ["big"], { deferrable: true }));
    expect(chooseKey(table, ["name", "big"])?.name).toBe("two");
    expect(chooseKey(table, ["big"])?.name).toBe("deferred");
    expect(chooseKey(table, ["name"])).toBeNull();
    expect(chooseKey(table, ["id", "id"])).toBeNull();
  });
});

describe("refusal", () => {
  it.each<[string[] | null, Key[], string | null]>([
    [null, [pk], null],
    [["id"], [pk], null],
    [null, [], "no PRIMARY KEY and no unique index over whole columns"],
    [null, [key("n", ["nullable"])], "no PRIMARY KEY, and the unique index n may hold NULL: nullable"],
    [null, [key("d", ["id"], { deferrable: true })], "no PRIMARY KEY, and the unique index d is deferrable"],
    [null, [key("i", ["id"], { valid: false })], "no PRIMARY KEY, and the unique index i is not valid"],
    [["id", "x", "y"], [pk], "the key names columns that do not exist: x, y"],
    [["name"], [pk], "no unique index over exactly (name)"],
    [["nullable"], [key("n", ["nullable"])], "the key may hold NULL: nullable"],
    [["big"], [key("i", ["big"], { valid: false })], "the unique index i is not valid"],
  ])("%j of %j: %s", (wanted, keys, reason) => {
    expect(refusal(of(...keys), wanted)).toBe(reason);
  });
});

it("an upsert needs an index of the root that is valid and immediate", () => {
  expect([pk, { ...pk, deferrable: true }, { ...pk, valid: false }, { ...pk, onRoot: false }].map(canUpsert)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
