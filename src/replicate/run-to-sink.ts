import { reach } from "../base/point.ts";
import { upgradeCapture } from "../capture/schema.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import { copyOut } from "../postgres/copy-out.ts";
import { sql, type Statement } from "../postgres/sql.ts";
import { rollbackQuietly } from "../postgres/transaction.ts";
import type { Batch } from "./definition.ts";
import { inTable } from "./data-fault.ts";
import { withSinkLock } from "./edge-lock.ts";
import { expectedRows } from "./expect.ts";
import { fillText } from "./fetch-text.ts";
import { endLook, endReading, holdTables } from "./hold.ts";
import { checkSource } from "./identity.ts";
import { withManyKeys } from "./many-keys.ts";
import { mendCapture } from "./mend-capture.ts";
import { moreWaits } from "./more.ts";
import { planUnasked, type TablePlan } from "./plan.ts";
import { isStale, withSync, type RunContext, type RunReport } from "./run.ts";
import { progressOf, type Progress } from "./run-progress.ts";
import { checkPlace, identityOf } from "./sink-place.ts";
import { setSequences } from "./sink-sequence.ts";
import { describeTables, type SinkLink } from "./sink-table.ts";
import { sinkKeysText, sinkRowsText } from "./sink-text.ts";
import type { Positions, RowTaker, Sink, SinkRun } from "./sink.ts";
import { confirmIntent, intended, intending, settle } from "./settle.ts";
import { stopwatch } from "./statistics.ts";
import { take } from "./take.ts";
import { verdictOn } from "./verdict.ts";

export type SinkRunContext = Pick<RunContext, "definition" | "source" | "signal" | "onProgress" | "remembered"> & { readonly sink: Sink };

/**
 * One run to a target that is no server: the same as `run`, but what changed goes to a sink.
 *
 *   sink    begin ─┐                             ┌ prepare ─┬ commit ─┐
 *   source  lock   └ snapshot, take, rows, check ┴ intent   ┘         └ settle
 *
 * Whatever ends it early leaves the checkpoint where it was, and the next run sends the same keys again as they are then. Two runs of one sync and target
 * do not meet: the first has the lock on the source; if it lost that with its connection, the second has taken its unfinished output away.
 * Errors: BucardoError; after `run-void` the same call may be made again at once.
 */
export async function runToSink(context: SinkRunContext): Promise<RunReport> {
  const { source, definition } = context;
  await upgradeCapture(source);
  return await withSinkLock(source, definition, async () => {
    try {
      return await runOnce(context);
    } catch (error) {
      await rollbackQuietly(source);
      throw withSync(error, definition.sync.name);
    }
  });
}

async function runOnce(context: SinkRunContext): Promise<RunReport> {
  const { definition, source, sink, signal } = context;
  await reach("replicate.begun");
  signal.throwIfAborted();
  await using output = await sink.begin({ sync: definition.sync, source: definition.source });
  await reach("replicate.locked");
  const batch = await take(source, definition);
  await reach("replicate.snapshot-taken");
  try {
    return await carry(context, output, batch);
  } catch (error) {
    throw await verdictOn(error, source, batch.tables);
  }
}

async function carry(context: SinkRunContext, output: SinkRun, batch: Batch): Promise<RunReport> {
  const { definition, source, sink, signal, remembered } = context;
  const progress = progressOf(context.onProgress);
  const sourceIdentity = await checkSource(source, definition.sync.name, batch.checkpoint, batch.snapshot.xmax, remembered);
  checkPlace(output.place, batch.checkpoint, definition);
  await mendCapture(source, definition, batch);

  const plans = planUnasked(definition, batch, sink.postgres);
  const moved = plans.length === 0 ? [] : await writeTables(context, output, batch, plans, progress);
  await reach("replicate.rows-read");
  const positions = await setSequences(source, output, definition);
  const sequences = Object.keys(positions).length;
  signal.throwIfAborted();
  let place = null;
  if (plans.length > 0 || sequences > 0) {
    progress.step("settling", null);
    place = await commit(context, output, batch, plans, positions);
  } else await endLook(source);
  await reach("replicate.target-committed");

  const worthSettling = place !== null || isStale(batch);
  if (worthSettling) {
    const target = place === null ? null : { identity: identityOf(place), xid: null };
    await settle(source, definition, batch, { sourceIdentity, target });
    await reach("replicate.settled");
  }
  return {
    outcome: place === null ? "empty" : "good",
    snapshot: batch.snapshot,
    tables: moved,
    sequences,
    bytes: moved.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    setAside: 0,
    settledRuns: batch.checkpoint.run + (worthSettling ? 1 : 0),
    more: plans.length > 0 && (await moreWaits(source, batch, plans).catch(() => false)),
    left: [],
  };
}

/** The intent flushes all that the snapshot saw on the source, so that no crash there takes back what the sink shows. It is never finished for us by its number. */
async function commit(
  { definition, source }: SinkRunContext,
  output: SinkRun,
  batch: Batch,
  plans: readonly TablePlan[],
  positions: Positions,
) {
  let intendedAt: number | null = null;
  if (plans.length === 0) await endLook(source);
  else intendedAt = intended(source, definition, await endReading(source, batch, plans, intending(definition, batch, 0, false)));
  await output.prepare();
  if (intendedAt !== null) await confirmIntent(source, definition, batch, intendedAt);
  await reach("replicate.intent-committed");
  return await output.commit(positions);
}

async function writeTables(
  context: SinkRunContext,
  output: SinkRun,
  batch: Batch,
  plans: readonly TablePlan[],
  progress: Progress,
): Promise<TableCounts[]> {
  const { definition, source } = context;
  await holdTables(source, batch, plans);
  const links = await describeTables(
    source,
    definition,
    plans.map(({ table }) => table),
  );
  progress.expect(await expectedRows(source, plans));
  const counts: TableCounts[] = [];
  const watch = stopwatch();
  for (const plan of plans) {
    const link = links.get(plan.table.captured)!;
    const table = displayName(plan.table.name);
    progress.step("fetching", plan.table.name);
    const { rows, keys, bytes } = await watch.time(table, () => writeTable(context, output, plan, link, progress));
    const refilled = plan.action !== "keys";
    counts.push({
      table,
      upserted: rows,
      deleted: refilled ? 0 : keys - rows,
      refilled,
      ...(refilled && { why: plan.why }),
      bytes,
      ms: watch.of(table),
    });
    await reach("replicate.table-applied");
  }
  return counts;
}

/** All that goes goes first: another row may have got the unique value of one that is written later. */
async function writeTable(
  { source, signal }: SinkRunContext,
  output: SinkRun,
  plan: TablePlan,
  { link, there }: SinkLink,
  progress: Progress,
): Promise<{ rows: number; keys: number; bytes: number }> {
  const table = displayName(link.name);
  const onBytes = (bytes: number, rows: number) => progress.moved(bytes, rows);
  const copy = async (fromText: Statement, taker: RowTaker, told = onBytes) => {
    const done = await copyOut({ from: source, fromText, take: (bytes) => taker.take(bytes), signal, onBytes: told, table });
    await taker.end();
    return done;
  };
  try {
    return await withManyKeys(source, plan, async () => {
      let keys = 0;
      if (plan.action !== "keys") await output.deleteAll(there);
      else {
        if (plan.gone.length > 0) await output.deleteWhere(there, plan.gone);
        keys = (await copy(sql("replicate.fetch-keys", sinkKeysText(plan, link)), output.deleteKeys(there), () => undefined)).rows;
      }
      const text = plan.action === "recopy" ? fillText(link) : sinkRowsText(plan, link);
      const { rows, bytes } = await copy(sql("replicate.fetch", text), output.insertRows(there));
      progress.fetched({ rows, bytes });
      return { rows, keys, bytes };
    });
  } catch (error) {
    throw error instanceof BucardoError && error.code === "file-target" ? error : inTable(error, table);
  }
}
