import { expect, test } from "vitest";
import { BucardoError } from "../model/error.ts";
import { chooseDumper, requireNewEnough, type Dumper } from "./dumper.ts";

const builtIn: Dumper = { kind: "built-in", major: 18 };
const own = (major: number): Dumper => ({ kind: "program", major, version: `${major}.1`, path: "/usr/bin/pg_dump" });
const request = (source: number, target: number) => ({
  db: "old",
  sourceVersion: source * 10_000,
  targetVersion: target * 10_000,
  signal: new AbortController().signal,
});

test.each([
  ["the machine's knows both", 15, 13, 15, own(15)],
  ["the target is newer than the machine's", 15, 13, 18, builtIn],
  ["the source is newer than the machine's", 15, 16, 14, builtIn],
  ["both are newer than the built-in one", 20, 19, 20, own(20)],
  ["the target is newer than either", 17, 17, 19, builtIn],
] as const)("%s", (_, program, source, target, expected) => {
  expect(requireNewEnough([own(program), builtIn], request(source, target))).toEqual(expected);
});

test("a source that is newer than either", () => {
  const choose = () => requireNewEnough([own(15), builtIn], request(19, 19));
  expect(choose).toThrow(BucardoError);
  expect(choose).toThrow(
    'database "old" is PostgreSQL 19, which needs pg_dump 19 or newer: /usr/bin/pg_dump is 15.1, the built-in one is 18',
  );
});

test("a wanted one that is none", async () => {
  await expect(chooseDumper({ ...request(18, 18), wanted: "/nowhere/pg_dump" })).rejects.toMatchObject({ code: "bad-value" });
  await expect(chooseDumper({ ...request(18, 18), wanted: process.execPath })).rejects.toMatchObject({ code: "bad-value" });
  expect(await chooseDumper({ ...request(18, 18), wanted: "built-in" })).toEqual(builtIn);
});
