import { expect, test } from "vitest";
import { at, equalAfterOneRun, filledRig, piecewise, ROWS, schema } from "./piecewise.ts";

test("H12: a unique value wanders from a row that has arrived to one that has not", async () => {
  await using rig = await filledRig(`${schema}; create unique index on t (code)`);
  await rig.source.query("create unique index on t (code)");
  using _ = at("copy.piece-done", 3, () =>
    rig.source.query(`update t set code = 'gave it away' where id = 1; update t set code = 'code 1' where id = ${ROWS}`),
  );
  await rig.copy(piecewise);
  await equalAfterOneRun(rig);
});

test("H12: a row whose key moves from a piece that has arrived to one that has not, into a table without any index", async () => {
  await using rig = await filledRig("create table t (id bigint not null, code text, v int)");
  using _ = at("copy.piece-done", 3, () =>
    rig.source.query(`update t set id = ${ROWS} + 1 where id = 1; update t set id = 1 where id = ${ROWS}`),
  );
  await rig.copy(piecewise);
  await rig.target.query("alter table t add primary key (id)");
  await equalAfterOneRun(rig);
});

test("H13: no run touches a table of which pieces are missing", async () => {
  await using rig = await filledRig();
  // A sync that runs already: its tables leave the runs for the time of the copy.
  await rig.rig.capture();
  let carried: unknown = null;
  using _ = at("copy.piece-done", 3, async () => {
    await rig.source.query(`update t set v = v + 1 where id in (1, ${ROWS})`);
    carried = (await rig.rig.run()).tables;
  });
  await rig.copy(piecewise);
  expect(carried).toEqual([]);
  await equalAfterOneRun(rig);
});

test.for([
  ["truncated and filled anew", "copy.piece-done", "truncate t; insert into t select g, 'new', 1 from generate_series(1, 50) g"],
  ["truncated between the snapshot of a piece and its reading", "copy.piece-claimed", "truncate t; insert into t values (1, 'new', 1)"],
  ["rewritten between the snapshot of a piece and its reading", "copy.piece-claimed", "alter table t alter v type bigint"],
  ["rewritten", "copy.piece-done", "alter table t alter v type bigint; update t set v = 5 where id % 3 = 0"],
  ["rewritten without a trace in its columns, between snapshot and reading", "copy.piece-claimed", "alter table t set unlogged"],
  ["vacuumed full", "copy.piece-done", "vacuum full t"],
  ["updated, every row", "copy.piece-done", "update t set v = v + 1"],
] as const)("H2: the table is %s", async ([, place, statement]) => {
  await using rig = await filledRig();
  using _ = at(place, 4, async () => {
    await rig.source.query(statement);
    if (statement.includes("bigint")) await rig.target.query("alter table t alter v type bigint");
  });
  await rig.copy(piecewise);
  await equalAfterOneRun(rig);
});
