import { carryLargeObjects } from "../copy/large-object.ts";
import { refreshMaterializedViews } from "../copy/materialized-view.ts";
import { displayName } from "../model/name.ts";
import { openNew, openOld, type Move, relationsOf, type PhaseResult } from "./move.ts";
import { analyzeTables } from "./statistics.ts";

/** Statistics first, so that the queries of materialized views are planned well. */
export async function moveExtras(move: Move): Promise<PhaseResult> {
  const { tables } = relationsOf(move.migration);
  move.report({ expected: tables.length, unit: "tables" });
  let done = 0;
  const analyzed = await analyzeTables({
    open: () => openNew(move, "analyze"),
    tables,
    jobs: move.migration.options.jobs,
    onTable: (table) => move.report({ done: ++done, doing: `analyze ${table}` }),
  });
  const refreshed = await refreshViews(move);
  const largeObjects = await moveLargeObjects(move);
  return { analyzed, refreshed, largeObjects };
}

/** Once more before the cutover, with what changed meanwhile. */
async function refreshViews(move: Move): Promise<number> {
  await using source = await openOld(move, "materialized views");
  await using target = await openNew(move, "materialized views");
  return await refreshMaterializedViews({
    source,
    target,
    signal: move.signal,
    onView: (view, of, expected) => move.report({ doing: `refresh ${displayName(view)}`, done: of, expected, unit: "objects" }),
  });
}

/** Nothing captures them: they are compared, and what differs is carried, here and once more at the cutover. */
async function moveLargeObjects(move: Move): Promise<number> {
  await using source = await openOld(move, "large objects");
  await using target = await openNew(move, "large objects");
  const { objects } = await carryLargeObjects({
    source,
    target,
    signal: move.signal,
    remove: true,
    onProgress: (seen, bytes) => move.report({ doing: `${seen} large objects`, done: bytes, expected: null, unit: "bytes" }),
  });
  return objects;
}
