import { expect, test } from "vitest";
import { BucardoError } from "../model/error.ts";
import { codeOfSqlstate, describePlace, interruption, sqlstateOf, toBucardoError } from "./failure.ts";

test.for([
  ["08006", "connection-lost"],
  ["22001", "data-rejected"],
  ["22021", "encoding"],
  ["22P05", "encoding"],
  ["22P04", "schema-mismatch"],
  ["23505", "data-rejected"],
  ["23P01", "data-rejected"],
  ["25006", "server-not-ready"],
  ["28P01", "authentication-failed"],
  ["40001", "serialization"],
  ["40P01", "serialization"],
  ["42501", "permission-denied"],
  ["42P01", "schema-mismatch"],
  ["42703", "schema-mismatch"],
  ["42804", "schema-mismatch"],
  ["53100", "disk-full"],
  ["53300", "too-many-connections"],
  ["53200", "server-not-ready"],
  ["54000", "data-rejected"],
  ["55P03", "lock-timeout"],
  ["57014", "interrupted"],
  ["57P01", "connection-lost"],
  ["57P02", "connection-lost"],
  ["57P03", "server-not-ready"],
  ["P0001", "data-rejected"],
  ["42601", "internal"],
  ["XX000", "internal"],
] as const)("%s is %s", ([sqlstate, code]) => {
  expect(codeOfSqlstate(sqlstate)).toBe(code);
});

test("codes of the operating system for a lost network are a lost connection, all else is ours", () => {
  for (const code of ["ECONNRESET", "EPIPE", "ETIMEDOUT"])
    expect(toBucardoError(Object.assign(new Error("x"), { code })).code).toBe("connection-lost");
  expect(toBucardoError(new Error("broken invariant: x"), { db: "a" })).toMatchObject({
    code: "internal",
    message: 'database "a": broken invariant: x',
  });
  expect(toBucardoError("thrown text").code).toBe("internal");
  expect(toBucardoError(undefined).code).toBe("internal");
});

test("an error of ours keeps what it knows and learns what it does not", () => {
  const error = new BucardoError("quota", "full", { db: "a" });
  expect(toBucardoError(error)).toBe(error);
  expect(toBucardoError(error, { db: "b", table: "s.t" })).toMatchObject({
    code: "quota",
    message: "full",
    details: { db: "a", table: "s.t" },
  });
});

test("reasons of signals", () => {
  const error = new BucardoError("timeout", "late");
  expect(interruption(error)).toBe(error);
  expect(interruption(new DOMException("x", "AbortError"), { db: "a" })).toMatchObject({ code: "interrupted", details: { db: "a" } });
  expect(sqlstateOf(error)).toBe(null);
  expect(sqlstateOf(new BucardoError("quota", "", { sqlstate: "57014" }))).toBe("57014");
});

test("places", () => {
  expect(describePlace({ host: "db1", hostaddr: null, port: 1 })).toBe("db1:1");
  expect(describePlace({ host: "db1", hostaddr: "10.0.0.1", port: 1 })).toBe("db1 (10.0.0.1):1");
  expect(describePlace({ host: "::1", hostaddr: null, port: 1 })).toBe("[::1]:1");
  expect(describePlace({ host: "/tmp", hostaddr: null, port: 1 })).toBe("/tmp/.s.PGSQL.1");
});
