import { describe, expect, it, test } from "vitest";
import { matchRelations, nearestRelation, type Candidate, type FindFilters } from "./find.ts";

function candidate(name: string, more: Partial<Candidate> = {}): Candidate {
  const [schema = "", bare = ""] = name.split(/\.(.*)/s);
  return { schema, name: bare, kind: "table", partition: false, keyed: true, ...more };
}

const candidates = [
  candidate("Other.Mixed Case"),
  candidate("app.accounts"),
  candidate("app.accounts_id_seq", { kind: "sequence" }),
  candidate("app.log_2024", { partition: true }),
  candidate("app.log_2025", { partition: true }),
  candidate("app.log"),
  candidate("app.nokey", { keyed: false }),
  candidate("app.odd.name"),
  candidate("app.a*b"),
  candidate("public.accounts"),
];

const match = (patterns: string[], filters: FindFilters = {}): string[] =>
  matchRelations(candidates, patterns, filters).found.map(({ schema, name }) => `${schema}.${name}`);

describe("matchRelations", () => {
  it.each<[string[], string[]]>([
    [["accounts"], ["app.accounts", "public.accounts"]],
    [["app.accounts"], ["app.accounts"]],
    [["app.acc%"], ["app.accounts", "app.accounts_id_seq"]],
    [["*.accounts"], ["app.accounts", "public.accounts"]],
    [["%count*"], ["app.accounts", "app.accounts_id_seq", "public.accounts"]],
    [["app.log*"], ["app.log"]],
    [["log_2024"], ["app.log_2024"]],
    [
      ["app.log_2024", "log"],
      ["app.log_2024", "app.log"],
    ],
    [["odd.name"], ["app.odd.name"]],
    [["app.odd.name"], ["app.odd.name"]],
    [["app.odd*"], ["app.odd.name"]],
    [["Mixed Case"], ["Other.Mixed Case"]],
    [['"Other"."Mixed Case"'], ["Other.Mixed Case"]],
    [["mixed case"], []],
    [['app."a*b"'], ["app.a*b"]],
    [["a.b"], []],
    [["a?b"], []],
    [
      ["(", "accounts", "accounts"],
      ["app.accounts", "public.accounts"],
    ],
  ])("%j finds %j", (patterns, names) => {
    expect(match(patterns)).toEqual(names);
  });

  it.each<[FindFilters, string[]]>([
    [{ kind: "sequence" }, ["app.accounts_id_seq"]],
    [{ kind: "table", schemas: ["app"], pkonly: true, excludeTables: ["log", "*.odd*", "a%b"] }, ["app.accounts"]],
    [{ excludeSchemas: ["app", "O*"] }, ["public.accounts"]],
    [{ tables: ["*counts"], excludeSchemas: ["public"] }, ["app.accounts"]],
    [{ schemas: [], tables: ["nokey"] }, ["app.nokey"]],
  ])("everything with %j is %j", (filters, names) => {
    expect(match(["*"], filters)).toEqual(names);
  });

  test("what matches nothing is listed, with what may have been meant", () => {
    expect(matchRelations(candidates, ["acounts", "app.lgo", "zz*", "sales.accounts"]).unmatched).toEqual([
      { pattern: "acounts", nearest: "accounts" },
      { pattern: "app.lgo", nearest: "app.log" },
      { pattern: "zz*", nearest: null },
      { pattern: "sales.accounts", nearest: "app.accounts" },
    ]);
  });
});

test("a table that was created in the wrong schema, or with other letters, is what was meant", () => {
  expect(nearestRelation("public.Accounts", [{ schema: "public", name: "accounts" }])).toBe("public.accounts");
  expect(
    nearestRelation("public.accounts", [
      { schema: "bar", name: "accounts" },
      { schema: "public", name: "acounts" },
    ]),
  ).toBe("bar.accounts");
  expect(nearestRelation("public.accounts", [{ schema: "bar", name: "orders" }])).toBeNull();
});
