import { describe, expect, test } from "vitest";
import type { SinkColumn, SinkKey, SinkTable } from "../replicate/sink.ts";
import { fieldsOf, RowCutter } from "./copy-text.ts";
import { flatpg } from "./flatpg.ts";
import { flatsql } from "./flatsql.ts";

const int = 'pg_catalog."int4"';
const key = (name: string, type: string, own: Partial<SinkKey["own"]> = {}): SinkKey => ({
  name,
  type,
  own: { type: int, equals: "operator(pg_catalog.=)", cast: "", ...own },
});
const column = (name: string, type: string, alwaysIdentity = false): SinkColumn => ({ name, type, alwaysIdentity });
const table = (keys: readonly SinkKey[], columns: readonly SinkColumn[] = [], parent = false): SinkTable => ({
  schema: "public",
  name: 'odd "name"',
  key: keys,
  columns,
  parent,
});

describe("fields of a row of COPY", () => {
  test.each([
    ["1\tx", ["1", "x"]],
    ["", [""]],
    ["\t", ["", ""]],
    ["\\N\t\\\\N", [null, "\\N"]],
    ["a\\tb\\nc\\rd\\\\e\\bf\\fg\\vh", ["a\tb\nc\rd\\e\bf\fg\vh"]],
    ['{"it\'s",\\\\"q\\\\"}', ['{"it\'s",\\"q\\"}']],
  ])("%j", (row, fields) => {
    expect(fieldsOf(row)).toEqual(fields);
  });

  test("rows come whole however they are cut, in the middle of a character too", () => {
    const bytes = Buffer.from("1\tä€😀\n\n2\t\\n\n");
    for (let size = 1; size <= bytes.length; size++) {
      const cutter = new RowCutter();
      const rows: string[] = [];
      for (let at = 0; at < bytes.length; at += size) rows.push(...cutter.cut(bytes.subarray(at, at + size)));
      expect(rows, `cut into pieces of ${size}`).toEqual(["1\tä€😀", "", "2\t\\n"]);
    }
  });
});

describe("flatpg", () => {
  test("keys of one column are a list, and quoted", () => {
    expect(flatpg.deleteKeys(table([key("id", "integer")]), [["1"], ["o'2"]])).toBe(
      `delete from "public"."odd ""name""" where "id" in ('1', 'o''2');\n`,
    );
  });

  test("keys of several columns, and of types whose operator is not found by everybody", () => {
    const citext = key("c", "ext.citext", { type: '"ext"."citext"', equals: 'operator("ext".=)' });
    expect(flatpg.deleteKeys(table([key("a", "integer"), citext]), [["1", "x"]])).toBe(
      `delete from "public"."odd ""name""" where ("a" = '1' and "c" operator("ext".=) 'x'::"ext"."citext");\n`,
    );
    const domain = key("d", "integer", { cast: `::${int}` });
    expect(flatpg.deleteKeys(table([domain]), [["1"]])).toBe(`delete from "public"."odd ""name""" where ("d"::${int} = '1'::${int});\n`);
  });

  test("rows are those of COPY; a parent goes without its children", () => {
    const of = table([key("id", "integer")], [column("id", "integer"), column('b"c', "text")], true);
    expect(flatpg.rows(of)).toEqual({ before: `copy "public"."odd ""name""" ("id", "b""c") from stdin;\n`, row: null, after: "\\.\n" });
    expect(flatpg.deleteAll(of)).toBe(`delete from only "public"."odd ""name""";\n`);
    expect(flatpg.deleteWhere(of, ["(a < 1)", "(a > 5)"])).toBe(`delete from only "public"."odd ""name""" where ((a < 1)) or ((a > 5));\n`);
  });

  test("a sequence is named as in SQL", () => {
    const shape = { increment: "1", min: "1", max: "10" };
    expect(flatpg.setSequence({ schema: "s", name: "o'q", value: "7", called: false, shape })).toBe(
      `select pg_catalog.setval('"s"."o''q"', 7, false);\n`,
    );
  });
});

describe("flatsql", () => {
  test("numbers and booleans stand as such, all else as text", () => {
    const columns = [
      column("i", "integer"),
      column("n", "numeric(10,2)"),
      column("f", "double precision"),
      column("b", "boolean"),
      column("t", "text"),
      column("y", "bytea"),
      column("a", "integer[]"),
    ];
    const { before, row, after } = flatsql.rows(table([key("i", "integer")], columns));
    expect([before, after]).toEqual(["", ""]);
    const insert = `insert into "public"."odd ""name""" ("i", "n", "f", "b", "t", "y", "a") values (`;
    expect(row!(["-1", "1.50", "1e-07", "t", "it's", "\\x00ff", "{1,NULL}"])).toBe(
      `${insert}-1, 1.50, 1e-07, true, 'it''s', '\\x00ff', '{1,NULL}');\n`,
    );
    expect(row!([null, "NaN", "-0", "f", "", null, null])).toBe(`${insert}null, 'NaN', '-0', false, '', null, null);\n`);
  });

  test("an identity that is ALWAYS takes the value", () => {
    const { row } = flatsql.rows(table([key("i", "integer")], [column("i", "integer", true)]));
    expect(row!(["1"])).toContain('("i") overriding system value values (1)');
  });

  test("keys", () => {
    expect(flatsql.deleteKeys(table([key("i", "bigint")]), [["1"], ["2"]])).toContain(`where "i" in (1, 2);`);
    expect(
      flatsql.deleteKeys(table([key("i", "bigint"), key("t", "text")]), [
        ["1", "a"],
        ["2", "b"],
      ]),
    ).toContain(`where ("i" = 1 and "t" = 'a') or ("i" = 2 and "t" = 'b');`);
  });

  test.each([
    ["7", true, "1", "8"],
    ["7", false, "1", "7"],
    ["7", true, "-2", "5"],
    ["10", true, "1", "10"],
    ["1", true, "-1", "1"],
  ])("a sequence at %s, drawn: %s, by %s, goes on with %s", (value, called, increment, next) => {
    const shape = { increment, min: "1", max: "10" };
    expect(flatsql.setSequence({ schema: "s", name: "q", value, called, shape })).toBe(`alter sequence "s"."q" restart with ${next};\n`);
  });
});
