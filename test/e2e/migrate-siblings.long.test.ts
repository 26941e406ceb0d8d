import { expect, test } from "vitest";
import { onServer } from "../harness/database.ts";
import { openSiblings } from "./siblings.ts";

test("what a database that was moved uses is not dropped with the move of its sibling", async () => {
  const names = ["one", "two", "three"];
  await using site = await openSiblings(names);
  await Promise.all(names.map((name) => site.run(name, "start --jobs=1")));
  await site.run("two", "cutover --yes --budget=60");
  await site.run("two", "finish --yes");
  await site.run("one", "abort --yes");
  await site.run("three", "abort --yes");
  expect(await site.databases()).toEqual(["two"]);
  expect(await site.roles()).toEqual(["owner_of_all", "quiet", "readers"]);
  const text =
    "select count(*)::int as rows, min(v) as v, (select pg_get_userbyid(relowner) from pg_class where oid = 't'::regclass) as owner from t";
  expect(await onServer(site.younger, async (admin) => (await admin.query(text)).rows, "two")).toEqual([
    { rows: 2000, v: "two", owner: "owner_of_all" },
  ]);
});
