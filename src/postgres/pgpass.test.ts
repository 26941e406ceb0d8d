import { expect, test } from "vitest";
import { findPassword } from "./pgpass.ts";

const query = { host: "db1", port: 5432, dbname: "app", user: "me" };

test("the first line that matches counts; * matches all", () => {
  const text = [
    "# db1:5432:app:me:comment",
    "",
    "db1:5432:app",
    "db2:*:*:*:wrong",
    "db1:5433:*:*:wrong",
    "*:*:app:me:right",
    "db1:5432:app:me:too late",
  ].join("\n");
  expect(findPassword(text, query)).toBe("right");
  expect(findPassword(text, { ...query, user: "you" })).toBe(null);
  expect(findPassword("", query)).toBe(null);
});

test("backslashes protect colons and backslashes, in what is compared and in the password", () => {
  expect(findPassword(String.raw`db1:5432:a\:b\\c:me:p\:w\\d:rest`, { ...query, dbname: "a:b\\c" })).toBe("p:w\\d");
  expect(findPassword(String.raw`\*:*:*:*:literal star`, query)).toBe(null);
  expect(findPassword("::1:5432:app:me:x", query)).toBe(null);
  expect(findPassword(String.raw`\:\:1:5432:app:me:six`, { ...query, host: "::1" })).toBe("six");
});

test("Windows' line ends and an empty password", () => {
  expect(findPassword("db1:5432:app:me:pw\r\n", query)).toBe("pw");
  expect(findPassword("db1:5432:app:me:", query)).toBe("");
});
