import type { RunResult } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import { catchUp, RunLine } from "./catch-up.ts";
import { rememberPrint } from "./compared-table.ts";
import { followKeylessPatiently } from "./follow-keyless.ts";
import { definitionOf, openNew, openOld, syncOf, type Move, relationsOf, type PhaseResult } from "./move.ts";

/** Runs from the old side to the new one. */
export function forwardLine(move: Move): RunLine {
  return new RunLine({
    definition: definitionOf(move.migration, relationsOf(move.migration)),
    signal: move.signal,
    open: async () =>
      openBoth(
        () => openOld(move, "run"),
        () => openNew(move, "run"),
      ),
    onRows: (done, table) => move.report({ done, doing: table, unit: "rows" }),
    onTrouble: (error, waitMs) => move.onMessage(`again in ${Math.round(waitMs / 1000)} s: ${error.message}`),
  });
}

export function totalRows(result: RunResult): number {
  return result.tables.reduce((sum, one) => sum + one.upserted + one.deleted, 0);
}

/** Both or none. */
export async function openBoth(
  source: () => Promise<Session>,
  target: () => Promise<Session>,
): Promise<{ source: Session; target: Session }> {
  const opened = await source();
  try {
    return { source: opened, target: await target() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** The one run that makes of all the pieces one state of the old side (hazard 12: before any other unique index). */
export async function repairRun(move: Move): Promise<PhaseResult> {
  await using line = forwardLine(move);
  const lag = await line.lag();
  move.report({ expected: lag.deltas, unit: "rows", lag });
  const result = await line.run();
  await line.purge();
  return {
    tables: result.tables.length,
    upserted: result.tables.reduce((sum, one) => sum + one.upserted, 0),
    deleted: result.tables.reduce((sum, one) => sum + one.deleted, 0),
  };
}

/** Tables without key that are followed by their rows' images, brought to this moment. */
export async function followImages(move: Move, prove: boolean): Promise<number> {
  await using source = await openOld(move, "tables without key");
  await using target = await openNew(move, "tables without key");
  return await followKeylessPatiently({
    sync: syncOf(move.migration),
    source,
    target,
    prove,
    onPrint: (table, print) => rememberPrint(move.state, table, print),
    signal: move.signal,
  });
}

/** Runs until next to nothing waits. */
export async function catchUpRuns(move: Move): Promise<PhaseResult> {
  await using line = forwardLine(move);
  await followImages(move, false);
  return await catchUp(line, (lag) => move.report({ lag, doing: null, done: 0, expected: null }));
}
