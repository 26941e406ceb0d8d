import { describe, expect, it } from "vitest";
import { isNextval, sameExpression } from "./default-expression.ts";

describe("sameExpression", () => {
  it.each([
    ["nextval('x.s'::regclass)", "nextval(('x.s'::text)::regclass)"],
    ["nextval('s'::regclass)", "nextval('public.s'::regclass)"],
    [`nextval('"S q"'::regclass)`, `nextval('public."S q"'::regclass)`],
    ["'a'::text", "'a'::character varying"],
    ["'a'::character varying(20)", "('a'::text)::character varying"],
    ["0", "'0'::numeric"],
    ["0", "(0)::numeric(10,2)"],
    ["(-1)", "'-1'::integer"],
    ["- 1", "-1"],
    ["now()", "CURRENT_TIMESTAMP"],
    ["pg_catalog.now()", "now()"],
    ["'{}'::text[]", "'{}'::character varying[]"],
    ["((a + b) * 2)", "(a + b) * 2"],
    ["CHECK ((r > 0))", "CHECK (r > 0)"],
    ["CHECK (((price)::numeric > (0)::numeric))", "CHECK ((price)::numeric > 0)"],
    ["true", "TRUE"],
    ["'x'::public.mood", "'x'::public.mood"],
    ["NULL::character varying", "NULL"],
    ["'00:00:00'::time without time zone", "'00:00:00'::time"],
    [`B'101'::"bit"`, `'101'::"bit"`],
    ["lower((b)::text)", "lower(b::text)"],
    ["timezone('utc'::text, now())", "(now() AT TIME ZONE 'utc'::text)"],
    [
      "date_trunc('day'::text, timezone('utc'::text, timezone(z, a)))",
      "date_trunc('day'::text, ((a AT TIME ZONE z) AT TIME ZONE 'utc'::text))",
    ],
    [`"substring"('abc'::text, 2, 1)`, "SUBSTRING('abc'::text FROM 2 FOR 1)"],
    [`"position"('abc'::text, 'b'::text)`, "POSITION(('b'::text) IN ('abc'::text))"],
    [`"overlay"(a, 'x'::text, 2, 1)`, "OVERLAY(a PLACING 'x'::text FROM 2 FOR 1)"],
    ["btrim(a, 'x'::text)", "TRIM(BOTH 'x'::text FROM a)"],
    ["ltrim(a)", "TRIM(LEADING FROM a)"],
  ])("%s is %s", (one, other) => {
    expect(sameExpression(one, other)).toBe(true);
    expect(sameExpression(other, one)).toBe(true);
  });

  it.each([
    ["nextval('a.s'::regclass)", "nextval('b.s'::regclass)"],
    ["'a'::text", "'A'::text"],
    ["1", "-1"],
    ["a - 1", "a"],
    ["(a + b) * 2", "a + (b * 2)"],
    ["'1'::text || x", "'2'::text || x"],
    [`"A"`, "a"],
    ["now()", "clock_timestamp()"],
    ["f()", "f(())"],
    ["x.f()", "y.f()"],
    ["0", null],
    ["'it''s'", "'its'"],
    ["timezone('utc'::text, now())", "(now() AT TIME ZONE 'cet'::text)"],
    ["timezone(a, b)", "(a AT TIME ZONE b)"],
    [`"substring"(a, 2, 1)`, "SUBSTRING(a FROM 1 FOR 2)"],
    [`"position"(a, b)`, "POSITION((a) IN (b))"],
    ["rtrim(a)", "TRIM(LEADING FROM a)"],
  ])("%s is not %s", (one, other) => {
    expect(sameExpression(one, other)).toBe(false);
    expect(sameExpression(other, one)).toBe(false);
  });

  it("takes no default for no default", () => {
    expect(sameExpression(null, null)).toBe(true);
  });
});

it("knows a nextval in every form", () => {
  expect(isNextval("nextval(('s'::text)::regclass)")).toBe(true);
  expect(isNextval("(nextval('s'::regclass) + 1)")).toBe(false);
});
