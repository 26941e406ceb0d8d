import { onPoint, type Point } from "../../src/base/point.ts";
import { abort } from "../../src/migrate/abort.ts";
import { endpointOf } from "../../src/migrate/endpoint.ts";
import { finish } from "../../src/migrate/finish.ts";
import { follow } from "../../src/migrate/follow.ts";
import { makePlan } from "../../src/migrate/plan.ts";
import { start } from "../../src/migrate/start.ts";
import { turn, type Direction } from "../../src/migrate/turn.ts";
import { Disposer } from "../../src/base/disposer.ts";
import type { Major } from "../harness/binaries.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { sharedServer } from "../harness/shared-server.ts";

/** A move between two databases of one server, driven without the program, so that it can break off where a test wants. */
export async function openMove(
  schema: string,
  [oldMajor, newMajor]: readonly [Major, Major] = [16, 16],
  patterns: { readonly only?: readonly string[]; readonly skip?: readonly string[] } = {},
) {
  const stack = new Disposer();
  const [older, younger] = [await sharedServer(oldMajor), await sharedServer(newMajor)];
  const [old, young, other] = [
    stack.use(await createDatabase(older)),
    stack.use(await createDatabase(younger)),
    stack.use(await createDatabase(younger)),
  ];
  await old.query(schema);
  const signal = new AbortController().signal;
  const ends = (to: TestDatabase = young) => ({
    old: endpointOf("old", old.url),
    new: endpointOf("new", to.url),
    signal,
    onMessage: () => undefined,
  });
  const messages: string[] = [];
  const quiet = { ...ends(), onMessage: (line: string) => void messages.push(line), onProgress: () => undefined, onPhase: () => undefined };
  const options = { only: [], skip: [], jobs: 1, maxRate: null, roles: false, pgDump: "built-in", skipObjects: [], ...patterns };
  return {
    old,
    young,
    other,
    /** What `start` said. */
    messages,
    plan: (to?: TestDatabase) => makePlan(ends(to), options),
    start: () => start(quiet, options),
    turn: (direction: Direction, to?: TestDatabase) =>
      turn(ends(to), direction, {
        budgetMs: 60_000,
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

export function breakOffAt(point: Point): Disposable {
  return onPoint((reached) => {
    if (reached === point) throw new Error(`broken off at ${point}`);
  });
}
