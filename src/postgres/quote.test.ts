import { expect, test } from "vitest";
import { quoteIdent, quoteLiteral, quoteName } from "./quote.ts";

test("identifiers, names and constants", () => {
  expect(quoteIdent('odd "Name"')).toBe('"odd ""Name"""');
  expect(quoteName({ schema: "s.x", name: 't"' })).toBe('"s.x"."t"""');
  expect(quoteLiteral("it's \\ 'x'")).toBe("'it''s \\ ''x'''");
  expect(quoteLiteral(null)).toBe("NULL");
});

test("what no identifier or text can be is a mistake of ours", () => {
  for (const text of ["", "a\0b"]) expect(() => quoteIdent(text)).toThrow("invariant");
  expect(() => quoteLiteral("a\0b")).toThrow("invariant");
});
