import { expect, test } from "vitest";
import { onPoint, type Point } from "../../src/base/point.ts";
import { abort } from "../../src/migrate/abort.ts";
import { endpointOf } from "../../src/migrate/endpoint.ts";
import { finish } from "../../src/migrate/finish.ts";
import { follow } from "../../src/migrate/follow.ts";
import { start } from "../../src/migrate/start.ts";
import { turn, type Direction } from "../../src/migrate/turn.ts";
import { Disposer } from "../../src/base/disposer.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { footprint } from "../harness/footprint.ts";
import { sharedServer } from "../harness/shared-server.ts";

/** A move between two databases of one server, driven without the program, so that it can break off where a test wants. */
async function openMove(schema: string) {
  const stack = new Disposer();
  const server = await sharedServer(16);
  const [old, young, other] = [
    stack.use(await createDatabase(server)),
    stack.use(await createDatabase(server)),
    stack.use(await createDatabase(server)),
  ];
  await old.query(schema);
  const signal = new AbortController().signal;
  const ends = (to: TestDatabase = young) => ({
    old: endpointOf("old", old.url),
    new: endpointOf("new", to.url),
    signal,
    onMessage: () => undefined,
  });
  const quiet = { ...ends(), onProgress: () => undefined, onPhase: () => undefined };
  const options = { only: [], skip: [], jobs: 1, maxRate: null, roles: false, pgDump: "built-in", skipObjects: [] };
  return {
    old,
    young,
    other,
    start: () => start(quiet, options),
    turn: (direction: Direction, to?: TestDatabase) =>
      turn(ends(to), direction, {
        budgetMs: 10_000,
        rehearse: false,
        verify: true,
        wayBack: true,
        onSwitch: null,
        onSwitchTimeoutMs: 1000,
        sequenceGap: 100,
        override: [],
        onEvent: () => undefined,
        poolers: [],
      }),
    follow: () => follow({ ...ends(), pauseMs: 0, limitMs: 0, onRun: () => undefined }),
    abort: (keepNew = false) => abort(ends(), { keepNew }),
    finish: (to?: TestDatabase) => finish(ends(to), { withoutOld: false, oldReadOnly: false }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

function breakOffAt(point: Point): Disposable {
  return onPoint((reached) => {
    if (reached === point) throw new Error(`broken off at ${point}`);
  });
}

test("no command takes a side in use, or a database of somebody else, for the side that nobody uses", async () => {
  await using move = await openMove(
    "create table t (id serial primary key, v text); insert into t (v) select 'old' from generate_series(1, 10)",
  );
  await move.start();
  await move.other.query("select lo_create(4711)");
  await expect(move.turn("cutover", move.other)).rejects.toMatchObject({ code: "target-changed" });
  expect(await move.other.query("select oid::int from pg_largeobject_metadata")).toEqual([{ oid: 4711 }]);
  {
    using _ = breakOffAt("migrate.opened");
    await expect(move.turn("cutover")).rejects.toThrow("broken off");
  }
  await move.young.query("insert into t (v) select 'new' from generate_series(1, 500); select lo_create(4711)");
  await expect(move.abort()).rejects.toMatchObject({ code: "cutover-unfinished" });
  await expect(move.follow()).rejects.toMatchObject({ code: "cutover-unfinished" });
  expect((await move.turn("cutover")).outcome).toBe("switched");
  expect(await move.young.query("select count(*)::int as rows, max(id) < nextval('t_id_seq') as ahead from t")).toEqual([
    { rows: 510, ahead: true },
  ]);
  expect(await move.young.query("select oid::int from pg_largeobject_metadata")).toEqual([{ oid: 4711 }]);
  await expect(move.finish(move.other)).rejects.toMatchObject({ code: "target-changed" });
  {
    using _ = breakOffAt("migrate.opened");
    await expect(move.turn("switchback")).rejects.toThrow("broken off");
  }
  await move.old.query("insert into t (v) select 'back' from generate_series(1, 500); select lo_create(4712)");
  await expect(move.finish()).rejects.toMatchObject({ code: "cutover-unfinished" });
  await expect(move.follow()).rejects.toMatchObject({ code: "cutover-unfinished" });
  expect((await move.turn("switchback")).outcome).toBe("switched");
  expect(await move.old.query("select count(*)::int as rows, max(id) < nextval('t_id_seq') as ahead from t")).toEqual([
    { rows: 1010, ahead: true },
  ]);
  expect(await move.old.query("select oid::int from pg_largeobject_metadata order by 1")).toEqual([{ oid: 4711 }, { oid: 4712 }]);
});
