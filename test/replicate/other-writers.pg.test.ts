import { expect, test } from "vitest";
import { waitFor } from "../harness/wait.ts";
import { openRig } from "./rig.ts";

test.for([
  ["in place", "create table t (id int primary key, v text)"],
  ["by deleting and inserting", "create table t (id int primary key, v text, n int generated always as identity)"],
] as const)("a row that somebody else writes on the target at the same time is waited for and overwritten (%s)", async ([, schema]) => {
  await using rig = await openRig({ majors: [12, 18], schema, tables: ["t"] });
  await rig.source.query("insert into t (id, v) values (1, 'of the source'), (2, 'of the source')");
  const other = await rig.target.client();
  await other.query("begin; insert into t (id, v) values (1, 'of somebody else')");
  const running = rig.run();
  await waitFor(async () => (await rig.target.query("select from pg_locks where not granted")).length > 0, {
    what: "the run to wait for the other writer",
  });
  await other.query("commit");
  expect((await running).outcome).toBe("good");
  expect(await rig.differences()).toEqual([]);
});
