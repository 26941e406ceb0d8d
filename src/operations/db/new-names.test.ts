import { describe, expect, test } from "vitest";
import type { Database } from "../../model/sync.ts";
import { amend } from "./draft.ts";
import { readNames } from "./new-names.ts";

const empty: Database = {
  name: "A",
  dbname: null,
  host: null,
  port: null,
  user: null,
  password: null,
  service: null,
  pgpass: null,
  conn: null,
  status: "active",
};

describe("which form a line has", () => {
  test.each([
    [{ names: ["alpha"], name: "oldalpha" }, false, 4, [["oldalpha", "alpha"]]],
    [{ names: ["alpha"] }, true, 4, [["alpha", "alpha"]]],
    [{ names: ["A"], dbname: "x" }, true, 5, [["A", "x"]]],
    [
      { names: ["A,B"], dbname: "x,y" },
      false,
      5,
      [
        ["A", "x"],
        ["B", "y"],
      ],
    ],
    [
      { names: ["A", "B", "C"], dbname: "x,y" },
      false,
      5,
      [
        ["A", "x"],
        ["B", "y"],
        ["C", "y"],
      ],
    ],
    [
      { names: ["A:source", "B:slave"], dbname: "x" },
      false,
      5,
      [
        ["A", "x"],
        ["B", "x"],
      ],
    ],
  ] as const)("%o, called by the older name: %j", (input, old, form, databases) => {
    const read = readNames(input, old);
    expect(read).toMatchObject({ form, problems: [] });
    expect(read.databases.map(({ base, given }) => [base.name, given.dbname])).toEqual(databases);
  });

  test("a comma in one database's own value is no list", () => {
    expect(readNames({ names: ["A"], dbname: "x", pass: "a,b" }, false).databases[0]?.given.pass).toBe("a,b");
  });

  test.each([
    [{ names: ["A"] }, ["must supply a database name to connect to"]],
    [{ names: ["A", "A"], dbname: "x" }, ['the name "A" is given twice']],
    [{ names: ["A:king"], dbname: "x" }, ['"king" is no role']],
    [{ names: ["a", "b"], name: "c" }, ["name= goes with one database"]],
    [{ names: ["4you"], dbname: "x" }, ['"4you" cannot be the name of a database']],
  ] as const)("%o", (input, wrong) => {
    expect(readNames(input, false).problems.map(({ what }) => what)).toEqual(wrong);
  });
});

describe("what the keys become", () => {
  test("a URL gives every part; a key beside it wins", () => {
    const { draft, problems } = amend(empty, {
      url: "postgresql://me:s%40crt@h:6000/shop?sslmode=require&connect_timeout=3",
      host: "other",
    });
    expect(problems).toEqual([]);
    expect(draft.database).toMatchObject({
      host: "other",
      port: 6000,
      user: "me",
      dbname: "shop",
      conn: "sslmode='require' connect_timeout='3'",
      password: null,
    });
    expect(draft.clearPassword).toBe("s@crt");
  });

  test("an empty value forgets; env: is kept as it is and never sealed", () => {
    const base = { ...empty, host: "h", port: 1, password: "env:OLD" };
    expect(amend(base, { host: "", port: "", pass: "" }).draft).toEqual({ database: { ...empty, password: null }, clearPassword: null });
    expect(amend(base, { pass: "env:NEW" }).draft).toMatchObject({ database: { password: "env:NEW" }, clearPassword: null });
    expect(amend(base, { port: "2" }).draft.database).toMatchObject({ host: "h", port: 2, password: "env:OLD" });
  });

  test.each([
    { port: "0" },
    { port: "x" },
    { port: "65536" },
    { pass: "env:" },
    { pass: "env:A B" },
    { url: "mysql://h" },
    { url: "nonsense" },
    { conn: "sslmode=require password=x" },
  ])("%o is refused", (given) => {
    expect(amend(empty, given).problems).toHaveLength(1);
  });
});
