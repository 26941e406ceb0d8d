import { expect, test } from "vitest";
import { findService } from "./service-file.ts";

const text = `# comment
[one]
host=db1
port = 5433
host=ignored

[two]
  dbname = a=b
[one]
user=never
`;

test("the words of the first section of that name", () => {
  expect(findService(text, "one", "f")).toEqual({ host: "db1", port: "5433" });
  expect(findService(text, "two", "f")).toEqual({ dbname: "a=b" });
  expect(findService(text, "three", "f")).toBe(null);
});

test("what is wrong is told with its line, but only in the section that is wanted", () => {
  const broken = "[a]\nnonsense\n[b]\nhost=x\n";
  expect(findService(broken, "b", "f")).toEqual({ host: "x" });
  expect(() => findService(broken, "a", "f")).toThrow("f, line 2");
  expect(() => findService("[a]\nldap=x", "a", "f")).toThrow('"ldap" is not supported');
});
