import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isToken, readOrMakeToken, rotateToken, tokenFileOf, TokenWatch } from "./token.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "token-"));
  file = tokenFileOf(join(folder, "home", "key"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("made once, for this user alone, hard to guess", () => {
  const token = readOrMakeToken(file);
  expect(token).toMatch(/^bcd_[\w-]{43}$/);
  expect(readOrMakeToken(file)).toBe(token);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "home")).mode & 0o777).toBe(0o700);
  expect(readFileSync(file, "utf8")).toBe(`${token}\n`);
});

test("a new one counts at once, and the old one no more", () => {
  const first = readOrMakeToken(file);
  const watch = new TokenWatch(file);
  expect(watch.accepts(first)).toBe(true);
  const second = rotateToken(file);
  expect(watch.accepts(first)).toBe(false);
  expect(watch.accepts(second)).toBe(true);
  rmSync(file);
  expect(watch.accepts(second)).toBe(false);
  expect(watch.accepts("")).toBe(false);
});

test("nobody is let in while others may read it", () => {
  const token = readOrMakeToken(file);
  chmodSync(file, 0o644);
  expect(() => readOrMakeToken(file)).toThrow("may be read by others");
  expect(new TokenWatch(file).accepts(token)).toBe(false);
});

test("only the whole token is the token", () => {
  expect(isToken("bcd_a", "bcd_a")).toBe(true);
  for (const other of ["", "bcd_", "bcd_aa", "BCD_A"]) expect(isToken(other, "bcd_a"), other).toBe(false);
});
