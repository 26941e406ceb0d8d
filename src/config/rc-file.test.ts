import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findRc, parseRc } from "./rc-file.ts";

let cwd: string;
let home: string;
let system: string;
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), "bucardo-rc-"));
  [cwd, home, system] = [join(root, "cwd"), join(root, "home"), join(root, "bucardorc")];
  mkdirSync(cwd);
  mkdirSync(home);
});
afterEach(() => rmSync(join(cwd, ".."), { recursive: true }));

test("both marks, comments, blanks, and values with marks in them", () => {
  const { entries, bad } = parseRc(
    "\uFEFF# comment\n\ndbport=5566\r\n  db-host : db1  \nlog_level =\ndbconn = sslmode=require\nnonsense\n= x\n",
  );
  expect(entries).toEqual([
    { line: 3, name: "dbport", value: "5566" },
    { line: 4, name: "db-host", value: "db1" },
    { line: 5, name: "log_level", value: "" },
    { line: 6, name: "dbconn", value: "sslmode=require" },
  ]);
  expect(bad).toEqual([7, 8]);
});

test("one file counts: here, then at home, then that of the system", () => {
  expect(findRc(undefined, { cwd, home, system })).toBe(null);
  writeFileSync(system, "a=system");
  expect(findRc(undefined, { cwd, home, system })?.text).toBe("a=system");
  writeFileSync(join(home, ".bucardorc"), "a=home");
  expect(findRc(undefined, { cwd, home, system })?.text).toBe("a=home");
  writeFileSync(join(cwd, ".bucardorc"), "a=cwd");
  expect(findRc(undefined, { cwd, home, system })?.text).toBe("a=cwd");
  expect(findRc(join(home, ".bucardorc"), { cwd, home, system })?.text).toBe("a=home");
  expect(findRc(false, { cwd, home, system })).toBe(null);
});

test("a file that was asked for and is missing, and one that is there and cannot be read, are errors", () => {
  expect(() => findRc(join(home, "no"), { cwd, home, system })).toThrow(/does not exist/);
  mkdirSync(join(cwd, ".bucardorc")); // a directory cannot be read as a file, whoever we are
  expect(() => findRc(undefined, { cwd, home, system })).toThrow(/cannot be read/);
});

test("the rights of the file are told", () => {
  const path = join(cwd, ".bucardorc");
  writeFileSync(path, "");
  chmodSync(path, 0o644);
  expect((findRc(undefined, { cwd, home, system })?.mode ?? 0) & 0o777).toBe(0o644);
});
