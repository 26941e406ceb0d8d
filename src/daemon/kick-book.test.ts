import { expect, test } from "vitest";
import { KickBook } from "./kick-book.ts";

test("a kick waits until it is settled, whatever an older list says", () => {
  const book = new KickBook();
  book.replace([1, 2]);
  expect([book.any, book.anyNew]).toEqual([true, true]);
  book.settle([1, 2]);
  expect(book.any).toBe(false);
  book.replace([1, 2, 3]);
  book.settle([3]);
  expect(book.any).toBe(false);
});

test("kicks that a failed run had seen are not new, later ones are", () => {
  const book = new KickBook();
  book.replace([1]);
  book.attempt([1]);
  expect([book.any, book.anyNew]).toEqual([true, false]);
  book.replace([1, 2]);
  expect(book.anyNew).toBe(true);
});
