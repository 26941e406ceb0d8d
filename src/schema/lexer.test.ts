import { expect, test } from "vitest";
import { splitScript, tokensOf } from "./lexer.ts";

const statements = (script: string) => [...splitScript(script)].filter(({ kind }) => kind === "statement").map(({ text }) => text);

test.each([
  ["plain", "select 1; select 2;", ["select 1", "select 2"]],
  ["without the last semicolon", "select 1;\nselect 2\n", ["select 1", "select 2"]],
  ["nothing", " ;; -- ;\n /* ; /* ; */ ; */ ", []],
  [
    "strings",
    "select ';'';', e'\\';', E'\\\\', U&'\\0061;', b'1;', 'a\\'; select 2;",
    ["select ';'';', e'\\';', E'\\\\', U&'\\0061;', b'1;', 'a\\'", "select 2"],
  ],
  ["names", 'create table ";"";" (";" int); select 2;', ['create table ";"";" (";" int)', "select 2"]],
  ["a dollar in a name is no quote", "select a$b$ from t; select a$b$;", ["select a$b$ from t", "select a$b$"]],
  [
    "dollar quotes",
    "do $$ begin; $a$ end; $$; do $a_1$ $$ ; $a$ ; $a_1$; select $1;",
    ["do $$ begin; $a$ end; $$", "do $a_1$ $$ ; $a$ ; $a_1$", "select $1"],
  ],
  [
    "parentheses",
    "create rule r as on insert to t do also (delete from u; notify x;); select 2;",
    ["create rule r as on insert to t do also (delete from u; notify x;)", "select 2"],
  ],
  [
    "a body of statements",
    `create function f() returns int\n begin atomic\n select case when true then (case when 1 = 1 then 2 end) end; select 1; end; select 2;`,
    [
      `create function f() returns int\n begin atomic\n select case when true then (case when 1 = 1 then 2 end) end; select 1; end`,
      "select 2",
    ],
  ],
  [
    "a function named begin",
    "create function begin() returns int language sql return 1; select 2;",
    ["create function begin() returns int language sql return 1", "select 2"],
  ],
  ["commands for psql", "\\restrict abc\nselect '\n\\restrict abc\n';\n\\unrestrict abc\n", ["select '\n\\restrict abc\n'"]],
  ["data", "copy t (a) from stdin;\n1;\t'\n\\.\n\nselect 2;", ["copy t (a) from stdin", "select 2"]],
  ["letters beyond ASCII", "select 1 as größe$x$; select '€;';", ["select 1 as größe$x$", "select '€;'"]],
  ["a comment in the middle", "select 1 -- ; '\n + 2; select /* ' */ 3;", ["select 1 -- ; '\n + 2", "select /* ' */ 3"]],
])("%s", (_, script, expected) => {
  expect(statements(script)).toEqual(expected);
});

test("strings and names of megabytes", () => {
  const long = "x;''".repeat(1_000_000);
  expect(statements(`select '${long}'; select "${"a;".repeat(1_000_000)}"; do $$${long}$$;`)).toHaveLength(3);
});

test("tokens", () => {
  expect(tokensOf(`ALTER TABLE ONLY s."O ""x" SET (a=1.5, b='c') -- no`).map(({ kind, value }) => `${kind} ${value}`)).toEqual([
    "word alter",
    "word table",
    "word only",
    "word s",
    "symbol .",
    'name O "x',
    "word set",
    "symbol (",
    "word a",
    "symbol =",
    "number 1.5",
    "symbol ,",
    "word b",
    "symbol =",
    "string 'c'",
    "symbol )",
  ]);
});
