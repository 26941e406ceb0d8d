import { expect, test } from "vitest";
import type { KeyColumn } from "../capture/key-column.ts";
import { canRange, rangeText } from "./key-range.ts";

const column = (name: string, type: string, equals = "operator(pg_catalog.=)"): KeyColumn => ({
  name,
  type,
  collate: "",
  equals,
  cast: "",
  equalMeansSame: true,
});
const id = column("id", 'pg_catalog."int8"');
const text = column("Te xt", 'pg_catalog."text"');
const citext = column("c", '"public"."citext"', 'operator("public".=)');

test("a range is half open, and open where it has no bound", () => {
  expect(rangeText([id], { lower: null, upper: null })).toBe("");
  expect(rangeText([id], { lower: ["5"], upper: null })).toBe(` where t."id" operator(pg_catalog.>=) '5'::pg_catalog."int8"`);
  expect(rangeText([id], { lower: ["5"], upper: ["9"] })).toBe(
    ` where t."id" operator(pg_catalog.>=) '5'::pg_catalog."int8" and t."id" operator(pg_catalog.<) '9'::pg_catalog."int8"`,
  );
});

test("several columns are compared as a row, and one by one where their operators live in different schemas", () => {
  expect(rangeText([id, text], { lower: null, upper: ["5", "it's"] })).toBe(
    ` where (t."id", t."Te xt") operator(pg_catalog.<) ('5'::pg_catalog."int8", 'it''s'::pg_catalog."text")`,
  );
  expect(rangeText([citext, id], { lower: ["a", "5"], upper: null })).toBe(
    ` where t."c" operator("public".>=) 'a'::"public"."citext" and (t."c" operator("public".>) 'a'::"public"."citext" or (t."c" operator("public".=) 'a'::"public"."citext" and t."id" operator(pg_catalog.>=) '5'::pg_catalog."int8"))`,
  );
});

test("a type whose equality has another name is not cut", () => {
  expect(canRange([id, citext])).toBe(true);
  expect(canRange([id, column("x", "t", "operator(public.===)")])).toBe(false);
});
