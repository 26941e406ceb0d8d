import { together } from "../base/abort.ts";
import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import type { QualifiedName } from "../model/name.ts";
import type { RunProgress, RunResult, TableCounts } from "../model/run.ts";
import { upgradeCapture } from "../capture/schema.ts";
import { interruptible } from "../postgres/cancel.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { rollbackQuietly } from "../postgres/transaction.ts";
import { applyAll, fetchAll } from "./all-tables.ts";
import { withCare, type Careful } from "./careful.ts";
import type { Batch, RunDefinition } from "./definition.ts";
import { againWhenOvertaken, withEdgeLock } from "./edge-lock.ts";
import { meet } from "./exchange.ts";
import type { Fetched } from "./fetch.ts";
import { expectSame, takeExpectation } from "./expectation.ts";
import { forceLock } from "./force-lock.ts";
import { endLook, endReading, holdTables } from "./hold.ts";
import { finishHalf } from "./finish-half.ts";
import type { RunHooks } from "./hooks.ts";
import { checkSource, checkTarget, positionOf, type Position } from "./identity.ts";
import { leaveLarge } from "./large.ts";
import { linkTables, NO_PRINTS, readPrints, type Prints } from "./link.ts";
import { beginLocked } from "./lock.ts";
import { memberOf, type Member } from "./member.ts";
import { moreWaits } from "./more.ts";
import { planTables, type TablePlan } from "./plan.ts";
import { progressOf, type Progress } from "./run-progress.ts";
import { mendCapture } from "./mend-capture.ts";
import { applyWithCode, isOnce } from "./run-code.ts";
import { tellOn } from "./relay.ts";
import { carrySequences } from "./sequence.ts";
import { confirmIntent, intended, intending, isPlain, settle } from "./settle.ts";
import { settleAside, supersededBy } from "./settle-aside.ts";
import { stopwatch, withStatistics } from "./statistics.ts";
import { sameShape } from "../capture/shape.ts";
import { forgetStages, trimStages } from "./stage.ts";
import { take } from "./take.ts";
import { verdictOn } from "./verdict.ts";

export type RunContext = {
  readonly definition: RunDefinition;
  /** Nobody else may use these two connections during the run; between runs they keep stages and plans. */
  readonly source: Session;
  readonly target: Session;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RunProgress) => void;
  /** Settled runs that the control database remembers, null if none: a source that counts fewer went back in time. */
  readonly remembered: number | null;
  /** Custom code of the sync; absent: none. */
  readonly hooks?: RunHooks;
  /** Bytes of tables that the run may copy whole; what is more is left to the caller. Absent: any. */
  readonly copiesUpTo?: number | undefined;
  /** How long it waits for pieces of a copy, which are short, in milliseconds. */
  readonly patienceMs?: number | undefined;
};

/** `more`: something waits already again, as far as one glance tells. `left`: tables that are to be copied in pieces; they are as they were. */
export type RunReport = RunResult & { readonly settledRuns: number; readonly more: boolean; readonly left: readonly QualifiedName[] };

/** An attempt of a run; careful after one that was refused a row. */
type Attempt = RunContext & { readonly careful: Careful | null };

/**
 * One run: carries one target from its checkpoint to a snapshot of the source, all tables of the sync together, in one transaction there.
 *
 *   target  begin, lock ─┐                        ┌ apply ─────────┬ commit ─┐
 *   source               └ snapshot, take, fetch ─┴ check, intent ─┘         └ settle
 *
 * Whatever ends it early leaves the checkpoint where it was, and the next run sends the same keys again as they are then. The target commits before
 * the checkpoint moves. Errors: BucardoError; after `run-void` the same call may be made again at once.
 */
export async function run(context: RunContext): Promise<RunReport> {
  const { source, definition } = context;
  await upgradeCapture(source);
  const target = await memberOf(context.target);
  return withCare(definition, context.signal, async (careful) => {
    const once = () => runCleanly({ ...context, signal: careful?.signal ?? context.signal, careful }, target);
    if (definition.exchange === undefined) {
      if (isOnce(context)) await finishHalf(source, target.session, definition);
      return await once();
    }
    return await withEdgeLock(source, target.session, definition, async () => {
      await finishHalf(source, target.session, definition);
      await finishHalf(target.session, source, { sync: definition.sync, target: definition.source });
      return await once();
    });
  });
}

async function runCleanly(context: Attempt, target: Member): Promise<RunReport> {
  const { source, definition } = context;
  try {
    return await runOnce(context, target);
  } catch (error) {
    await rollbackQuietly(source);
    await rollbackQuietly(target.session);
    forgetStages(target);
    throw withSync(definition.exchange === undefined ? error : againWhenOvertaken(error), definition.sync.name);
  }
}

async function runOnce(context: Attempt, target: Member): Promise<RunReport> {
  const { definition, source } = context;
  const progress = progressOf(context.onProgress);
  await reach("replicate.begun");
  context.signal.throwIfAborted();

  await trimStages(target);
  if (definition.exchange === undefined)
    await interruptible(context.signal, target.session, () => beginLocked(target.session, definition.sync, context.patienceMs));
  else await target.session.execute(sql("replicate.begin-target", "begin isolation level repeatable read"));
  await reach("replicate.locked");
  await forceLock(target.session, definition, context.signal);

  const expected = takeExpectation(source, definition);
  const [batch, prints] = await together(
    context.signal,
    () => take(source, definition, expected),
    async () => (expected === null ? NO_PRINTS : await readPrints(target.session, expected.batch.tables)),
  );
  await reach("replicate.snapshot-taken");
  try {
    return await carry(context, target, batch, prints, progress);
  } catch (error) {
    throw await verdictOn(error, source, batch.tables);
  }
}

async function carry(context: Attempt, target: Member, taken: Batch, prints: Prints, progress: Progress): Promise<RunReport> {
  const { definition, source } = context;
  const sourceIdentity = await checkSource(source, definition.sync.name, taken.checkpoint, taken.snapshot.xmax, context.remembered);
  const targetIdentity = await checkTarget(target, definition.sync.name, taken.checkpoint);
  await mendCapture(source, definition, taken);
  await context.hooks?.at("before_check_rows", { source, target: target.session, tables: [], table: null });

  const planned = await planTables(target.session, definition, taken);
  const { batch, plans, left } = await leaveLarge(source, target, definition, taken, planned, context.copiesUpTo);
  const moved = plans.length === 0 ? null : await moveRows(context, target, batch, plans, prints, progress);
  if (moved === null) await endLook(source);
  const sequences = await carrySequences(source, target.session, definition);

  context.signal.throwIfAborted();
  await target.session.execute(sql("replicate.commit-target", "commit"));
  await reach("replicate.target-committed");

  const worthSettling = moved !== null || isStale(batch);
  let setAside = batch.tables.reduce((sum, table) => sum + table.setAside, 0);
  if (worthSettling) {
    const met = batch.checkpoint.targetIdentity === null ? { identity: targetIdentity, xid: null } : null;
    const settled = moved === null ? met : { identity: { ...targetIdentity, lsn: moved.at.lsn }, xid: moved.at.xid };
    const move = () => settle(source, definition, batch, { sourceIdentity, target: settled });
    setAside = await settleAside(source, definition, batch, { superseded: [], fetched: [], ...moved, careful: context.careful }, move);
    target.lastXid = moved?.at.xid ?? target.lastXid;
    expectSame(source, definition, batch, plans);
    await reach("replicate.settled");
  }
  const more = moved !== null && (await moreWaits(source, batch, plans).catch(() => false));
  return {
    outcome: (moved !== null && !isEcho(definition, moved)) || sequences > 0 ? "good" : "empty",
    snapshot: batch.snapshot,
    tables: moved?.tables ?? [],
    sequences,
    bytes: moved?.bytes ?? 0,
    setAside,
    settledRuns: batch.checkpoint.run + (worthSettling ? 1 : 0),
    more,
    left,
  };
}

/** All that waited had come from the target. */
function isEcho({ exchange }: RunDefinition, { tables }: Moved): boolean {
  return exchange !== undefined && tables.every(({ upserted, deleted, conflicts = 0 }) => upserted + deleted + conflicts === 0);
}

type Moved = {
  readonly at: Position;
  readonly fetched: readonly Fetched[];
  readonly superseded: readonly number[];
  readonly tables: readonly TableCounts[];
  readonly bytes: number;
};

/** All rows of the run, applied but not committed, and the intent to commit them. The source ends its part while the target applies. */
async function moveRows(
  context: Attempt,
  target: Member,
  batch: Batch,
  plans: readonly TablePlan[],
  prints: Prints,
  progress: Progress,
): Promise<Moved> {
  const { definition, source, signal } = context;
  const link = () =>
    linkTables(
      source,
      target,
      definition,
      plans.map((plan) => plan.table),
      prints,
    );
  const hold = () => (plans.every(({ table }) => batch.held.has(table.captured)) ? Promise.resolve() : holdTables(source, batch, plans));
  const [, links] = await together(signal, hold, link);
  const watch = stopwatch();
  const [at, fetched] = await together(
    signal,
    () => positionOf(target.session),
    (broken) => fetchAll({ ...context, signal: broken }, target, plans, links, progress, watch),
  );
  const superseded = await supersededBy(source, definition, fetched);
  const met = await interruptible(signal, target.session, () =>
    meet({ definition, source, target, fetched, hooks: context.hooks ?? null, signal }),
  );
  await reach("replicate.rows-read");
  const plain = context.careful === null && isPlain(batch);
  const end = async () => intended(source, definition, await endReading(source, batch, plans, intending(definition, batch, at.xid, plain)));
  const apply = (rows: readonly Fetched[]) => applyAll(context, target, rows, progress, watch);
  // Rows that others hold on the target may keep us waiting for as long as they like.
  const [intendedAt, applied] =
    context.hooks === undefined
      ? await together(signal, end, (broken) => interruptible(broken, target.session, () => apply(met.fetched)))
      : await interruptible(signal, target.session, () => applyWithCode(context, target, met.fetched, apply, end));
  await tellOn(target, definition.source, met.fetched, met.back);
  const tables = applied.map((each) => withConflicts(each, met.conflicts));
  await confirmIntent(source, definition, batch, intendedAt);
  progress.step("settling", null);
  await reach("replicate.intent-committed");
  const bytes = fetched.reduce((sum, each) => sum + each.bytes, 0);
  return { at, fetched, superseded, bytes, tables: tables.map((counts) => withStatistics(counts, fetched, context.careful, watch)) };
}

function withConflicts(counts: TableCounts, conflicts: ReadonlyMap<string, number>): TableCounts {
  const found = conflicts.get(counts.table);
  return found === undefined ? counts : { ...counts, conflicts: found };
}

/**
 * Settling without rows moves only the checkpoint. It is worth a write when a table changed its shape or joined, or when the checkpoint has fallen far
 * behind, which keeps its list of open transactions short and purge going; not with every look, which would never let an idle source rest.
 */
export function isStale(batch: Batch): boolean {
  return (
    batch.checkpoint.sourceIdentity === null ||
    batch.snapshot.xmax - batch.checkpoint.snapshot.xmax > 1000 ||
    batch.tables.some((table) => table.joining || !sameShape(table.before, table.now))
  );
}

/** The error with the name of the sync it happened to. */
export function withSync(error: unknown, sync: string): unknown {
  if (!(error instanceof BucardoError) || error.details.sync !== undefined) return error;
  return new BucardoError(error.code, error.message, { ...error.details, sync });
}
