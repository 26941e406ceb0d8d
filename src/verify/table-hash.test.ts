import { expect, test } from "vitest";
import { hashOfSums, numberOfHash } from "./table-hash.ts";

test("the hash of a table is that of its parts together, in any order and beyond 64 bits", () => {
  const rows = ["9223372036854775807", "-9223372036854775808", "-1", "5", "9223372036854775807"];
  const whole = hashOfSums(rows);
  expect(whole).toMatch(/^[0-9a-f]{16}$/);
  expect(hashOfSums(rows.toReversed())).toBe(whole);
  const parts = [rows.slice(0, 2), rows.slice(2)].map((part) => numberOfHash(hashOfSums(part)));
  expect(hashOfSums(parts)).toBe(whole);
});

test("a table without rows has the hash zero, and a negative sum is sixteen digits too", () => {
  expect(hashOfSums([])).toBe("0".repeat(16));
  expect(hashOfSums(["-1"])).toBe("f".repeat(16));
  expect(numberOfHash("f".repeat(16))).toBe("-1");
});
