import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { RunProgress, RunResult, TableCounts } from "../model/run.ts";
import { interruptible } from "../postgres/cancel.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { rollbackQuietly } from "../postgres/transaction.ts";
import { applyTable } from "./apply.ts";
import { applyAwake, refuseAwake } from "./apply-awake.ts";
import type { Batch, RunDefinition } from "./definition.ts";
import { expectedRows } from "./expect.ts";
import { fetchTable, type Fetched } from "./fetch.ts";
import { checkUnchanged, holdTables } from "./hold.ts";
import { checkSource, checkTarget } from "./identity.ts";
import { linkTables } from "./link.ts";
import { lockTarget } from "./lock.ts";
import { memberOf, type Member } from "./member.ts";
import { planTables, type TablePlan } from "./plan.ts";
import { mendCapture } from "./mend-capture.ts";
import { carrySequences } from "./sequence.ts";
import { recordIntent, settle } from "./settle.ts";
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
};

/**
 * One run: carries one target from its checkpoint to a snapshot of the source, all tables of the sync together, in one transaction there.
 *
 *   target  begin, lock ─┐                            ┌ apply ─ commit ─┐
 *   source               └ snapshot, take, fetch, check ─ intent ───────┘└ settle
 *
 * Whatever ends it early leaves the checkpoint where it was, and the next run sends the same keys again as they are then. The target commits before
 * the checkpoint moves. Errors: BucardoError; after `run-void` the same call may be made again at once.
 */
export async function run(context: RunContext): Promise<RunResult & { readonly settledRuns: number }> {
  const { source, definition } = context;
  const target = await memberOf(context.target);
  try {
    return await runOnce(context, target);
  } catch (error) {
    await rollbackQuietly(source);
    await rollbackQuietly(target.session);
    forgetStages(target);
    throw withSync(error, definition.sync.name);
  }
}

async function runOnce(context: RunContext, target: Member): Promise<RunResult & { readonly settledRuns: number }> {
  const { definition, source } = context;
  const progress = progressOf(context);
  await reach("replicate.begun");
  context.signal.throwIfAborted();

  await trimStages(target);
  await target.session.execute(sql("replicate.begin-target", "begin isolation level read committed"));
  await lockTarget(target.session, definition.sync);
  await reach("replicate.locked");

  await source.execute(sql("replicate.begin-source", "begin isolation level repeatable read"));
  const batch = await take(source, definition);
  await reach("replicate.snapshot-taken");
  try {
    return await carry(context, target, batch, progress);
  } catch (error) {
    throw await verdictOn(error, source, batch.tables);
  }
}

async function carry(
  context: RunContext,
  target: Member,
  batch: Batch,
  progress: Progress,
): Promise<RunResult & { readonly settledRuns: number }> {
  const { definition, source } = context;
  const sourceIdentity = await checkSource(source, definition.sync.name, batch.checkpoint, batch.snapshot.xmax, context.remembered);
  const targetIdentity = await checkTarget(target, definition.sync.name, batch.checkpoint);
  await mendCapture(source, definition, batch);

  const plans = await planTables(target.session, definition, batch);
  await holdTables(source, batch, plans);
  const fetched = await fetchAll(context, target, plans, progress);
  await checkUnchanged(source, batch, plans);
  await reach("replicate.file-nodes-checked");
  await endReading(source);

  // Rows that others hold on the target may keep us waiting for as long as they like.
  const applied = await interruptible(context.signal, target.session, () => applyAll(target, fetched, progress));
  const tables = applied.map((counts) => withReason(counts, plans));
  const sequences = await carrySequences(source, target.session, sequencesOf(definition), definition);
  progress.step("settling", null);

  let settled = null;
  if (tables.length > 0) {
    const { xid, lsn } = await target.session.one<{ xid: number; lsn: string }>(
      sql("replicate.target-xid", "select txid_current() as xid, (pg_current_wal_lsn() - '0/0'::pg_lsn)::text as lsn"),
    );
    await recordIntent(source, definition, batch, xid);
    await reach("replicate.intent-committed");
    settled = { identity: { ...targetIdentity, lsn }, xid };
  }
  context.signal.throwIfAborted();
  await target.session.execute(sql("replicate.commit-target", "commit"));
  await reach("replicate.target-committed");

  const worthSettling = tables.length > 0 || isStale(batch);
  if (worthSettling) {
    const met = batch.checkpoint.targetIdentity === null ? { identity: targetIdentity, xid: null } : null;
    await settle(source, definition, batch, { sourceIdentity, target: settled ?? met });
    target.lastXid = settled?.xid ?? target.lastXid;
    await reach("replicate.settled");
  }
  return {
    outcome: tables.length > 0 || sequences > 0 ? "good" : "empty",
    snapshot: batch.snapshot,
    tables,
    sequences,
    bytes: fetched.reduce((sum, each) => sum + each.bytes, 0),
    settledRuns: batch.checkpoint.run + (worthSettling ? 1 : 0),
  };
}

/** One table after the other: the two servers are busy with one stream already, and all of them read one snapshot on one connection. */
async function fetchAll(context: RunContext, target: Member, plans: readonly TablePlan[], progress: Progress): Promise<Fetched[]> {
  const links = await linkTables(
    context.source,
    target,
    context.definition,
    plans.map((plan) => plan.table),
  );
  if (!target.replica) refuseAwake(target, [...links.values()]);
  progress.expect(await expectedRows(context.source, plans));
  const fetched: Fetched[] = [];
  for (const plan of plans) {
    const link = links.get(plan.table.captured)!;
    progress.step("fetching", link.name);
    const done = await fetchTable({
      source: context.source,
      target,
      plan,
      link,
      signal: context.signal,
      onBytes: (bytes, rows) => progress.moved(bytes, rows),
    });
    progress.fetched(done);
    fetched.push(done);
    await reach("replicate.table-staged");
  }
  return fetched;
}

async function applyAll(target: Member, fetched: readonly Fetched[], progress: Progress): Promise<TableCounts[]> {
  if (!target.replica) return applyAwake(target, fetched);
  const counts: TableCounts[] = [];
  for (const each of fetched) {
    progress.step("applying", each.link.name);
    counts.push(await applyTable(target, each));
    await reach("replicate.table-applied");
  }
  return counts;
}

function withReason(counts: TableCounts, plans: readonly TablePlan[]): TableCounts {
  const plan = counts.refilled ? plans.find(({ table }) => displayName(table.name) === counts.table) : undefined;
  return plan === undefined ? counts : { ...counts, why: plan.why };
}

/** Nothing was written in it but locks: the commit only ends the snapshot. */
async function endReading(source: Session): Promise<void> {
  await source.execute(sql("replicate.end-reading", "commit"));
}

function sequencesOf(definition: RunDefinition) {
  return definition.relations.filter((relation) => relation.kind === "sequence").map((relation) => relation.name);
}

/**
 * Settling without rows moves only the checkpoint. It is worth a write when a table changed its shape or joined, or when the checkpoint has fallen far
 * behind, which keeps its list of open transactions short and purge going; not with every look, which would never let an idle source rest.
 */
function isStale(batch: Batch): boolean {
  return (
    batch.checkpoint.sourceIdentity === null ||
    batch.snapshot.xmax - batch.checkpoint.snapshot.xmax > 1000 ||
    batch.tables.some((table) => table.joining || !sameShape(table.before, table.now))
  );
}

function withSync(error: unknown, sync: string): unknown {
  if (!(error instanceof BucardoError) || error.details.sync !== undefined) return error;
  return new BucardoError(error.code, error.message, { ...error.details, sync });
}

type Progress = {
  expect(rows: number | null): void;
  step(step: RunProgress["step"], table: { schema: string; name: string } | null): void;
  moved(bytes: number, rows: number): void;
  fetched(done: Fetched): void;
};

function progressOf({ onProgress }: RunContext): Progress {
  let state: RunProgress = { step: "taking", table: null, rowsDone: 0, rowsExpected: null, bytesDone: 0 };
  let bytesBefore = 0;
  let rowsBefore = 0;
  const change = (part: Partial<RunProgress>) => onProgress((state = { ...state, ...part }));
  return {
    expect: (rows) => change({ rowsExpected: rows }),
    step: (step, table) => change({ step, table: table === null ? null : displayName(table) }),
    moved: (bytes, rows) => change({ bytesDone: bytesBefore + bytes, rowsDone: rowsBefore + rows }),
    fetched: (done) => {
      bytesBefore += done.bytes;
      rowsBefore += done.rows;
      change({ rowsDone: rowsBefore, bytesDone: bytesBefore });
    },
  };
}
