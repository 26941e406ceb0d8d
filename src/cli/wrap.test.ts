import { expect, test } from "vitest";
import { wrap } from "./wrap.ts";

test("what fits stays; paragraphs are broken at blanks", () => {
  expect(wrap("short\n\nas wide as it may be", 20)).toBe("short\n\nas wide as it may be");
  expect(wrap("a paragraph that goes on and on for ever", 20)).toBe("a paragraph that\ngoes on and on for\never");
});

test("the second column stands under itself, an indented text under its indent", () => {
  expect(wrap("  -h, --host=VALUE  host of the database, or directory", 42)).toBe(
    "  -h, --host=VALUE  host of the database,\n                    or directory",
  );
  expect(wrap("      makes what is missing, and nothing else", 30)).toBe("      makes what is missing,\n      and nothing else");
});

test("a word that is too long stands alone, and a column without room is left as it is", () => {
  expect(wrap("see https://example.com/a/very/long/path there", 22)).toBe("see\nhttps://example.com/a/very/long/path\nthere");
  expect(wrap("  a-very-long-name-of-a-key  its meaning", 34)).toBe("  a-very-long-name-of-a-key  its meaning");
});
