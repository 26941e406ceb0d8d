import { carryNewLargeObjects } from "../copy/large-object.ts";
import { reach } from "../base/point.ts";
import { closeFence, openFence } from "../capture/fence.ts";
import { waitForWriters } from "../capture/fence-wait.ts";
import { somethingPending } from "../capture/pending.ts";
import { BucardoError } from "../model/error.ts";
import { definitionsPrint } from "./definitions-print.ts";
import { followKeyless } from "./follow-keyless.ts";
import { onLiving } from "./cutover-sessions.ts";
import { runOnce } from "./near.ts";
import type { Timeline } from "./timeline.ts";
import type { Prepared, Working } from "./prepare.ts";
import type { Proof } from "../verify/proof.ts";
import { copyWholeTable } from "./whole-table.ts";

/** How much longer the source stays closed by itself than we allow ourselves: undoing opens it at once, a dead tool after this. */
const MARGIN_MS = 1000;
/** When open transactions have had their part of the budget, however long what came before them took; the rest is for what comes after them. */
const WRITERS_SHARE = 0.75;

/**
 * From the first writer that has to wait to the state in which the decision may fall: both sides are equal, and nobody has written since. Every step that
 * changes something leaves its undoing in `undo`. Errors: writers-left, not-equal, those of a run; the caller undoes.
 */
export async function holdWindow(working: Working, prepared: Prepared, signal: AbortSignal): Promise<void> {
  const { context, sessions, poolers, timeline, undo } = working;
  const { definition, uncaptured, budgetMs } = context;
  const { from, run } = sessions;
  const sync = definition.sync.id;
  // Once already: numbers that somebody draws on the new side during the switch are then beyond all that the old side has given out.
  if (!poolers.any) await prepared.sequences.carry();
  /** What was undone must not be done once more by what comes late. */
  const step: Timeline["step"] = (name, work, detail) => {
    signal.throwIfAborted();
    return timeline.step(name, work, detail);
  };
  timeline.begin();
  undo.add("tell the time", async () => timeline.opened());

  if (poolers.any) {
    await step("pause poolers", () => poolers.pause(undo, signal));
    await prepared.sequences.carry();
    await reach("migrate.paused");
  }
  await step("close to writers", async () => {
    undo.add(`open ${context.from.place}, which opens by itself a little later`, () => onLiving(from, context.from, openFence));
    await closeFence(from, budgetMs + MARGIN_MS);
  });
  await reach("migrate.closed");
  await step(
    "wait for open transactions",
    () => waitForWriters(from, { sync, uncaptured, own: sessions.own, until: untilOf(timeline, budgetMs), signal }),
    (waited) => `${waited} waited for`,
  );
  const lastRun = step(
    "last run",
    () => runOnce({ definition: prepared.lastRun, source: run.source, target: run.target, signal }),
    ({ tables }) => `${tables.reduce((sum, table) => sum + table.upserted + table.deleted, 0)} rows`,
  );
  // Both begin when nobody writes any more; the old side is read by both at once.
  await Promise.all([lastRun, prepared.proof && compareLast(timeline, prepared.proof, lastRun)]);
  await reach("migrate.last-run");
  if (uncaptured.length > 0)
    await step(
      "tables without key",
      async () => {
        let rows = await followKeyless({ sync: definition.sync, ...run, prove: false, signal });
        for (const table of prepared.whole) rows += await copyWholeTable(run.source, run.target, table, signal);
        return rows;
      },
      (rows) => `${rows} rows`,
    );
  const { largeObjectsSince: since } = context;
  // The rows that speak of them came with the last run.
  if (since !== undefined) await step("new large objects", () => carryNewLargeObjects({ ...run, signal, remove: false }, since), String);
  await Promise.all([
    step("nothing waits", async () => {
      const left = await somethingPending(run.source, [sync]);
      if (left.some(({ target }) => target === definition.target))
        throw new BucardoError("not-equal", `something was written to ${from.name} after it was closed`, { db: from.name });
    }),
    step("no definition changed", async () => {
      if ((await definitionsPrint(from)) === prepared.definitions) return;
      throw new BucardoError("schema-mismatch", `a table, function or another definition of ${from.name} was changed during the cutover`, {
        db: from.name,
        advice: "Make the same change on the other side, then again.",
      });
    }),
  ]);
  // As late as can be: whoever is refused draws numbers all the same.
  await step("sequences", () => prepared.sequences.carry(), String);
  if (poolers.any) {
    await step("repoint poolers", () => poolers.repoint());
    await reach("migrate.repointed");
  }
  signal.throwIfAborted();
}

/** By performance.now(). */
function untilOf(timeline: Timeline, budgetMs: number): number {
  return performance.now() + Math.max(0, budgetMs * WRITERS_SHARE - timeline.elapsedMs);
}

function compareLast(timeline: Timeline, proof: Proof, lastRun: Promise<unknown>): Promise<number> {
  return timeline.step(
    "compare what was touched",
    () => proof.finish(() => lastRun),
    (keys) => `${keys} keys`,
  );
}
