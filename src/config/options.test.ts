import { expect, test } from "vitest";
import { globalOptions, optionNamed, plainName } from "./options.ts";
import { isSettingName } from "./setting.ts";

test("no name stands for two options", () => {
  const names = globalOptions.flatMap(({ name, aliases }) => [name, ...aliases]);
  const plain = names.map((name) => (name.length === 1 ? name : plainName(name)));
  expect(plain.filter((name, index) => plain.indexOf(name) !== index)).toEqual([]);
});

test("options that are settings as well are known to both", () => {
  const both = globalOptions.filter(({ name }) => isSettingName(name.replaceAll("-", "_"))).map(({ name }) => name);
  expect(both).toEqual(["http", "piddir", "log-level", "log-showline", "sendmail"]);
});

test("names of the rc file: dashes, underscores and case do not count; letters are for the command line", () => {
  for (const name of ["dbport", "db-port", "DB_PORT"]) expect(optionNamed(name)?.name).toBe("dbport");
  expect(optionNamed("logdest")?.name).toBe("log-destination");
  expect(optionNamed("p")).toBe(null);
  expect(optionNamed("nonsense")).toBe(null);
});
