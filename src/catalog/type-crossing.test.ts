import { expect, it, test } from "vitest";
import type { Column } from "./column.ts";
import { column } from "../../test/catalog/shape.ts";
import { crossType, type Obstacle } from "./type-crossing.ts";

const gradeOf = (source: Column, target: Column): Obstacle["grade"] | null => crossType(source, target)?.grade ?? null;

it.each<[string, string, Obstacle["grade"] | null]>([
  ["integer", "integer", null],
  ["smallint", "integer", null],
  ["integer", "bigint", null],
  ["bigint", "integer", "error"],
  ["integer", "numeric", null],
  ["integer", "numeric(12,2)", null],
  ["bigint", "numeric(12,2)", "error"],
  ["integer", "text", "error"],
  ["integer", "double precision", null],
  ["bigint", "double precision", "error"],
  ["real", "double precision", null],
  ["double precision", "real", "error"],
  ["numeric(10,2)", "numeric(12,2)", null],
  ["numeric(10,2)", "numeric(12,4)", null],
  ["numeric(10,2)", "numeric(10,4)", "error"],
  ["numeric(10,2)", "numeric(10,1)", "error"],
  ["numeric(10,2)", "numeric", null],
  ["numeric", "numeric(10,2)", "error"],
  ["numeric", "bigint", "error"],
  ["text", "character varying", null],
  ["text", "character varying(20)", "strict"],
  ["character varying(10)", "character varying(20)", null],
  ["character varying(20)", "character varying(10)", "strict"],
  ["character varying(10)", "text", null],
  ["character(5)", "text", "warning"],
  ["character(5)", "character(5)", null],
  ["character(5)", "character(6)", "warning"],
  ["character(6)", "character(5)", "strict"],
  ["bpchar", "character varying(5)", "strict"],
  ["citext:citext", "text", null],
  ["text", "citext:citext", null],
  ["timestamp without time zone", "timestamp with time zone", "warning"],
  ["timestamp(3) with time zone", "timestamp without time zone", "warning"],
  ["timestamp with time zone", "timestamp(3) without time zone", "strict"],
  ["timestamp(3) with time zone", "timestamp with time zone", null],
  ["timestamp with time zone", "timestamp(3) with time zone", "strict"],
  ["time with time zone", "time without time zone", "error"],
  ["interval day to second(3)", "interval", null],
  ["interval", "interval day to second(3)", "error"],
  ["interval(3)", "interval", null],
  ["bit(3)", "bit(4)", "error"],
  ["bit(3)", "bit varying(4)", null],
  ["bit varying(5)", "bit varying(4)", "strict"],
  ["json", "jsonb", "error"],
  ["text[]", "text", "error"],
  ["integer[]", "bigint[]", null],
  ["numeric(5,1)[]", "numeric(4,1)[]", "error"],
  ["public.geometry(Point,4326)", "public.geometry(Point,4326)", null],
  ["public.geometry(Point,4326)", "public.geometry", null],
  ["public.geometry(Point,4326)", "public.geometry(Polygon,4326)", "strict"],
  ["a.thing", "b.thing", "error"],
  ["uuid", "text", "error"],
])("%s to %s: %s", (source, target, grade) => {
  expect(gradeOf(column("c", source), column("c", target))).toBe(grade);
});

const mood = (labels: string[], type = "public.mood"): Column => column("m", type, { typeKind: "e", shapeKind: "e", enumLabels: labels });

test("enums cross by their labels, and the missing ones are named", () => {
  expect(crossType(mood(["a", "b"]), mood(["b", "x", "a"]))).toBeNull();
  expect(crossType(mood(["a", "b", "it's"]), mood(["b"]))).toEqual({
    grade: "error",
    why: "the target's type lacks the labels 'a', 'it's'",
  });
  expect(gradeOf(mood(["a"]), mood(["a"], "other.mood"))).toBe("warning");
  expect(gradeOf(mood(["a"]), column("m", "text"))).toBe("error");
  expect(gradeOf(mood(["a"], "public.mood[]"), mood(["a"], "public.mood"))).toBe("error");
});

test("domains cross as their base type; one that only the target has may refuse values", () => {
  const domain = column("d", "public.cents", { typeKind: "d", baseType: "numeric(10,2)" });
  expect(gradeOf(domain, column("d", "numeric(10,2)"))).toBeNull();
  expect(gradeOf(domain, domain)).toBeNull();
  expect(gradeOf(column("d", "numeric(10,2)"), domain)).toBe("strict");
  expect(gradeOf(column("d", "smallint"), { ...domain, baseType: "integer", portableType: "integer" })).toBe("strict");
  expect(gradeOf(column("d", "numeric"), domain)).toBe("error");
});

test("composite types cross when their fields are the same", () => {
  const pair = (fields: string): Column => column("p", "public.pair", { typeKind: "c", shapeKind: "c", fields });
  expect(gradeOf(pair("a integer"), pair("a integer"))).toBeNull();
  expect(gradeOf(pair("a integer"), pair("a integer, b text"))).toBe("error");
});
