import { expect, test } from "vitest";
import { statementsOf, whyNotInside } from "./allowed.ts";

test.each([
  "select 1",
  "  -- a remark\n /* and another */ SELECT 1;",
  "insert into t values ('; commit')",
  "with gone as (delete from t returning *) insert into u select * from gone",
  "(select 1) union (select 2)",
  "update t set a = $$; drop table t$$",
  "delete from t where a = 'select into'",
])("%s may be executed within a run", (text) => {
  expect(whyNotInside(text)).toBeNull();
});

test.each([
  "commit",
  "rollback to savepoint x",
  "select 1; commit",
  "set session_replication_role = replica",
  "truncate t",
  "create temp table x (a int)",
  "lock table t",
  "do $$ begin commit; end $$",
  "call p()",
  "copy t to stdout",
  "select a into x from t",
  "/* select */ vacuum",
  "",
  " ; ",
])("%s may not", (text) => {
  expect(whyNotInside(text)).not.toBeNull();
});

test("a script is cut at the semicolons between its statements", () => {
  expect(statementsOf("insert into a values (';'); -- one\n update b set c = $x$;$x$;\n")).toEqual([
    "insert into a values (';')",
    "update b set c = $x$;$x$",
  ]);
});
