import { readDatabases } from "../../control/database.ts";
import { insertRemainder } from "../../control/remainder.ts";
import { markSyncReady, readSyncs, type SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { sourcesOf, type Database } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { commit, confirm, rehearse, type Messages } from "../change.ts";
import type { Context } from "../context.ts";
import { problemText } from "../problem-text.ts";
import { capture, release } from "./capture.ts";
import { checkSync, hasErrors, invalidSync, type SyncCheck } from "./check.ts";
import { compareCapture, type CaptureDifference } from "./difference.ts";

/**
 * Work on the control database that may change what syncs are: run twice, first rehearsed and rolled back, so it must do
 * the same both times. `undo` takes back the committed rows of new syncs when their capture cannot be installed.
 */
export type SyncChange<T extends Messages> = {
  readonly work: (control: Session) => Promise<T>;
  readonly undo?: (control: Session) => Promise<void>;
};

/**
 * The one way in which definitions of syncs change: check everything first (all problems at once, nothing changed), then
 *
 *   removed syncs   rows inactive -> capture released -> rows deleted
 *   living syncs    what is new captured -> rows -> what has left released
 *   new syncs       rows, not ready -> captured -> ready
 *
 * so that a crash anywhere leaves either what was, or a sync that `validate` finishes and `remove sync` clears away.
 */
export async function applySyncChange<T extends Messages>(context: Context, change: SyncChange<T>): Promise<T> {
  const control = await context.control();
  const before = await readSyncs(control);
  const { value, after, databases } = await rehearse(control, async () => ({
    value: await change.work(control),
    after: await readSyncs(control),
    databases: await readDatabases(control),
  }));
  const plan = planChange(before, after);
  const checks = await checkAll(context, databases, plan);
  const unreachable = await findUnreachable(context, plan);
  const warnings = checks.flatMap(({ problems }) => problems.filter((problem) => problem.grade === "warning").map(problemText));
  for (const warning of warnings) context.io.err(warning);
  if (context.flags.dryrun) return value;
  if (context.flags.confirm) await confirm(context, value.messages);

  for (const sync of plan.removed) await leave(context, control, sync, unreachable);
  const grown = await growLiving(context, plan, checks);
  const result = await commitOrShrink(context, control, change, { plan, unreachable, grown });
  await captureNew(context, control, change, plan, checks);
  for (const difference of plan.changed) await shrink(context, difference, unreachable);
  return result;
}

type Plan = { readonly added: readonly SyncRow[]; readonly removed: readonly SyncRow[]; readonly changed: readonly CaptureDifference[] };

function planChange(before: readonly SyncRow[], after: readonly SyncRow[]): Plan {
  const pairs = after.map((sync) => ({ sync, old: before.find((other) => other.id === sync.id) }));
  return {
    added: pairs.filter(({ old }) => old === undefined).map(({ sync }) => sync),
    removed: before.filter((old) => !after.some((sync) => sync.id === old.id)),
    changed: pairs.flatMap(({ sync, old }) => (old === undefined ? [] : (compareCapture(old, sync) ?? []))),
  };
}

/** Every sync that needs capture, checked; one error for all of them. */
async function checkAll(context: Context, databases: readonly Database[], plan: Plan): Promise<SyncCheck[]> {
  const wanted = [...plan.added, ...plan.changed.filter(({ grows }) => grows).map(({ sync }) => sync)];
  const checks: SyncCheck[] = [];
  for (const sync of wanted) checks.push(await checkSync(context, sync, databases));
  const bad = checks.filter(({ problems }) => hasErrors(problems));
  const [first] = bad;
  if (first !== undefined)
    throw invalidSync(
      first.sync,
      bad.flatMap(({ problems }) => problems),
    );
  return checks;
}

/** Databases from which something must go but that do not answer; without --force that is an error. */
async function findUnreachable(context: Context, plan: Plan): Promise<ReadonlySet<string>> {
  const wanted = new Set([
    ...plan.removed.flatMap(sourcesOf),
    ...plan.changed.flatMap(({ before, leftSources, leftTargets, leftTables }) =>
      leftTargets.length + leftTables.length > 0 ? sourcesOf(before) : leftSources,
    ),
  ]);
  const unreachable = new Set<string>();
  for (const db of wanted) {
    try {
      await context.connectTo(db);
    } catch (error) {
      if (!(error instanceof BucardoError)) throw error;
      if (!context.flags.force) {
        const advice = `Nothing was changed. With --force it is removed here, and \`${context.program} validate all\` clears ${db} when it answers again.`;
        throw new BucardoError(error.code, `Our triggers cannot be taken off database "${db}": ${error.message}`, {
          ...error.details,
          advice,
          cause: error,
        });
      }
      unreachable.add(db);
      context.io.err(`Our triggers stay on database "${db}" for now: ${error.message}`);
    }
  }
  return unreachable;
}

/** A sync that is going: nobody runs it any more, then its capture goes. */
async function leave(context: Context, control: Session, sync: SyncRow, unreachable: ReadonlySet<string>): Promise<void> {
  await commit(control, () => markSyncReady(control, sync.id, false));
  for (const db of sourcesOf(sync)) if (!unreachable.has(db)) await release(context, db, sync.id);
}

/** Captures what living syncs get in addition; takes it back and throws when one cannot be. */
async function growLiving(context: Context, plan: Plan, checks: readonly SyncCheck[]): Promise<CaptureDifference[]> {
  const grown: CaptureDifference[] = [];
  for (const difference of plan.changed.filter(({ grows }) => grows)) {
    grown.push(difference);
    try {
      await capture(context, difference.sync, relationsOf(checks, difference.sync.id));
    } catch (error) {
      await takeBack(context, grown);
      throw error;
    }
  }
  return grown;
}

async function takeBack(context: Context, grown: readonly CaptureDifference[]): Promise<void> {
  for (const { sync, before, newTargets, newTables } of grown) {
    const [source] = sourcesOf(sync);
    if (source === undefined) continue;
    if (!sourcesOf(before).includes(source)) await release(context, source, sync.id);
    else {
      for (const target of newTargets) await release(context, source, sync.id, { target });
      if (newTables.length > 0) await release(context, source, sync.id, { tables: newTables });
    }
  }
}

async function commitOrShrink<T extends Messages>(
  context: Context,
  control: Session,
  { work }: SyncChange<T>,
  { plan, unreachable, grown }: { plan: Plan; unreachable: ReadonlySet<string>; grown: readonly CaptureDifference[] },
): Promise<T> {
  try {
    return await commit(control, async () => {
      const value = await work(control);
      for (const sync of plan.removed) {
        for (const db of sourcesOf(sync))
          if (unreachable.has(db)) await insertRemainder(control, { db, sync: sync.id, syncName: sync.name });
      }
      for (const { before } of plan.changed) {
        for (const db of sourcesOf(before))
          if (unreachable.has(db)) await insertRemainder(control, { db, sync: before.id, syncName: before.name });
      }
      return value;
    });
  } catch (error) {
    await takeBack(context, grown);
    throw error;
  }
}

async function captureNew<T extends Messages>(
  context: Context,
  control: Session,
  { undo }: SyncChange<T>,
  plan: Plan,
  checks: readonly SyncCheck[],
): Promise<void> {
  for (const sync of plan.added) {
    try {
      await capture(context, sync, relationsOf(checks, sync.id));
      await commit(control, () => markSyncReady(control, sync.id, true));
    } catch (error) {
      for (const db of sourcesOf(sync)) await release(context, db, sync.id).catch(() => undefined);
      await commit(control, async () => undo?.(control));
      throw error;
    }
  }
}

async function shrink(
  context: Context,
  { sync, before, leftSources, leftTargets, leftTables }: CaptureDifference,
  unreachable: ReadonlySet<string>,
): Promise<void> {
  for (const db of leftSources) if (!unreachable.has(db)) await release(context, db, sync.id);
  for (const db of sourcesOf(before).filter((each) => !leftSources.includes(each) && !unreachable.has(each))) {
    for (const target of leftTargets) await release(context, db, sync.id, { target });
    if (leftTables.length > 0) await release(context, db, sync.id, { tables: leftTables });
  }
}

function relationsOf(checks: readonly SyncCheck[], id: string): SyncCheck["relations"] {
  return checks.find((check) => check.sync.id === id)?.relations ?? [];
}
