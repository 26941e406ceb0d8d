import { expect, test } from "vitest";
import { checkHost, hostAllowed } from "./host-check.ts";

test.each([
  ["", "any", true],
  ["db1", "db1", true],
  ["db1", "db11", false],
  ["=db1, db2", "db2", true],
  ["=db1,db2", "db3", false],
  ["~^db\\d$", "db7", true],
  ["~^db\\d$", "web7", false],
])("rule %j on host %s: %s", (rule, host, allowed) => {
  expect(hostAllowed(rule, host)).toBe(allowed);
});

test("the refusal names both and exits with 2, as version 5 did", () => {
  expect(() => checkHost("db1", "web")).toThrow(expect.objectContaining({ code: "daemon-failed", exit: 2 }));
});
