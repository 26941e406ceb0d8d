import { readDatabases } from "../../control/database.ts";
import { insertRemainder } from "../../control/remainder.ts";
import { readSyncs } from "../../control/sync.ts";
import { displayName, firstOf } from "../../model/name.ts";
import { carriesChanges, sourcesOf } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { commit, confirm, rehearse, type Messages } from "../change.ts";
import type { Context } from "../context.ts";
import { problemText } from "../problem-text.ts";
import { captureNew, copiesAdded, growLiving, hasNewSource, leave, shrink, takeBack } from "./apply-capture.ts";
import { checkAll, findUnreachable, planChange, type Plan } from "./apply-plan.ts";
import { withDefinitionLock } from "./definition-lock.ts";
import type { CaptureDifference } from "./difference.ts";

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
  return await withDefinitionLock(context, control, () => applyLocked(context, control, change));
}

async function applyLocked<T extends Messages>(context: Context, control: Session, { work, undo }: SyncChange<T>): Promise<T> {
  const before = await readSyncs(control);
  const { value, after, databases } = await rehearse(control, async () => ({
    value: await work(control),
    after: await readSyncs(control),
    databases: await readDatabases(control),
  }));
  const plan = planChange(before, after);
  const checks = await checkAll(context, databases, plan);
  const unreachable = await findUnreachable(context, plan);
  for (const { problems } of checks) for (const problem of problems) context.io.err(problemText(problem));
  if (context.flags.dryrun) return value;
  if (context.flags.confirm) await confirm(context, value.messages);

  for (const sync of plan.removed) await leave(context, control, sync, unreachable);
  const grown = await growLiving(context, control, plan, checks);
  const result = await commitWork(context, control, work, { plan, unreachable, grown });
  await captureNew(context, control, { plan, checks, undo: undo ?? (async () => {}) });
  await shrink(context, plan, unreachable);
  const copied = grown.length > 0 && (await copiesAdded(context));
  for (const difference of grown) for (const line of sinceWhen(context, difference, copied)) context.io.out(line);
  return result;
}

async function commitWork<T extends Messages>(
  context: Context,
  control: Session,
  work: (control: Session) => Promise<T>,
  {
    plan,
    unreachable,
    grown,
  }: { readonly plan: Plan; readonly unreachable: ReadonlySet<string>; readonly grown: readonly CaptureDifference[] },
): Promise<T> {
  try {
    return await commit(control, async () => {
      const value = await work(control);
      const left = [
        ...plan.removed.flatMap((sync) => sourcesOf(sync).map((db) => ({ db, sync: sync.id, syncName: sync.name }))),
        ...plan.changed.flatMap(({ sync, leftSources }) => leftSources.map((db) => ({ db, sync: sync.id, syncName: sync.name }))),
      ];
      for (const remainder of left) if (unreachable.has(remainder.db)) await insertRemainder(control, remainder);
      return value;
    });
  } catch (error) {
    await takeBack(context, grown);
    throw error;
  }
}

/** What becomes of the rows that were there before it joined. */
function sinceWhen({ program }: Context, difference: CaptureDifference, copied: boolean): string[] {
  const { sync, newTables, newTargets } = difference;
  const newSource = hasNewSource(difference);
  if ((newTables.length === 0 && newTargets.length === 0 && !newSource) || !carriesChanges(sync)) return [];
  if (copied && !newSource) {
    const what =
      newTargets.length > 0
        ? `Everything is copied to ${newTargets.join(", ")}`
        : `${firstOf(newTables.map(displayName))} ${newTables.length > 1 ? "are" : "is"} copied`;
    return [`${what} by itself; \`${program} status ${sync.name}\` shows how far it is`];
  }
  return [`Changes count from now on. For what was there before: ${program} update sync ${sync.name} onetimecopy=${newSource ? 1 : 2}`];
}
