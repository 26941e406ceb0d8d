import { expect, test } from "vitest";
import { inspectCapture } from "../../src/capture/inspect.ts";
import { releaseSync } from "../../src/capture/release.ts";
import { readCopyState } from "../../src/copy/state.ts";
import { openSession } from "../replicate/rig.ts";
import { openCopyRig } from "./rig.ts";

test("tables of all sizes arrive, the big one in pieces, and the first run finds nothing to mend", async () => {
  await using rig = await openCopyRig({
    schema: `create table big (id bigint primary key, t text); create table small (a int, b text, primary key (a, b)); create table empty (id int primary key);
             create table keyless (v int)`,
    tables: ["big", "small", "empty", "keyless"],
  });
  await rig.source
    .query(`insert into big select g, repeat('x', 100) || g from generate_series(1, 20000) g; insert into small select g, g from generate_series(1, 50) g;
                          insert into keyless select g % 3 from generate_series(1, 100) g`);
  await rig.target.query("insert into big values (-1, 'of before'); insert into keyless values (77)");
  const result = await rig.copy();
  expect(result).toMatchObject({ tables: 4, rows: 20150, resumedPieces: 0 });
  expect(await rig.differences()).toEqual([]);
  await using session = await openSession(rig.source, "source");
  const states = await readCopyState(session, { sync: { id: rig.rig.syncId }, target: "target" });
  expect(states.map((state) => state.done)).toEqual([true, true, true, true]);
  expect(states[0]!.pieces).toBeGreaterThan(10);
  await rig.source.query("update big set t = 'changed' where id % 100 = 0; delete from small where a < 10");
  await rig.rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("what a copy kept on the source goes with its sync", async () => {
  await using rig = await openCopyRig({ schema: "create table t (id int primary key)", tables: ["t"] });
  await rig.copy();
  await using session = await openSession(rig.source, "source");
  await releaseSync(session, rig.rig.syncId);
  expect(await inspectCapture(session).then((objects) => objects.filter(({ kind }) => kind !== "role"))).toEqual([]);
});
