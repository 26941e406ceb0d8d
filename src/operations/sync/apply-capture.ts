import { insertConflicts } from "../../control/conflict.ts";
import { markSyncReady, updateSync, type SyncRow } from "../../control/sync.ts";
import { forgetSettled } from "../../control/target-state.ts";
import { BucardoError } from "../../model/error.ts";
import { receiversOf, sourcesOf } from "../../model/sync.ts";
import { moveNoted } from "../../replicate/conflict-log.ts";
import type { Session } from "../../postgres/session.ts";
import { commit } from "../change.ts";
import type { Context } from "../context.ts";
import type { Plan } from "./apply-plan.ts";
import { capture, release, settingsOf } from "./capture.ts";
import type { SyncCheck } from "./check.ts";
import type { CaptureDifference } from "./difference.ts";

/**
 * A sync that is going: nobody runs it any more, then its capture goes. Its checkpoint is the first thing to go, so from here on it could only come
 * back inactive and with a copy of whole tables; that is written down first, for the case that the rest fails.
 */
export async function leave(context: Context, control: Session, sync: SyncRow, unreachable: ReadonlySet<string>): Promise<void> {
  await commit(control, async () => {
    await updateSync(control, { ...sync, status: "inactive", onetimecopy: 1 });
    await markSyncReady(control, sync.id, false);
  });
  for (const db of sourcesOf(sync).filter((each) => !unreachable.has(each))) {
    try {
      await moveNoted(await context.connectTo(db), sync.id, (noted) => insertConflicts(control, sync.name, noted));
      await release(context, db, sync.id);
    } catch (error) {
      if (!(error instanceof BucardoError)) throw error;
      const advice = `Sync "${sync.name}" is inactive and half removed. Repeat the command when the cause is gone; what is gone already stays gone.`;
      throw new BucardoError(error.code, `Our triggers cannot be taken off database "${db}": ${error.message}`, {
        ...error.details,
        advice,
        cause: error,
      });
    }
  }
}

/** Captures what living syncs get in addition; takes it back and throws when one cannot be. */
export async function growLiving(
  context: Context,
  control: Session,
  plan: Plan,
  checks: readonly SyncCheck[],
): Promise<CaptureDifference[]> {
  const grown: CaptureDifference[] = [];
  for (const difference of plan.changed.filter(({ grows }) => grows)) {
    grown.push(difference);
    try {
      // A target that was a member before and comes back begins anew.
      for (const target of difference.newTargets) await forgetSettled(control, difference.sync.id, target);
      const owed = (await copiesAdded(context)) && !hasNewSource(difference) ? difference.sync : difference.before;
      await capture(context, difference.sync, relationsOf(checks, difference.sync.id), owed);
    } catch (error) {
      await takeBack(context, grown);
      throw error;
    }
  }
  return grown;
}

/** What is new in a living sync gets its rows by itself. Where the source is another one, whose rows are the right ones is the user's to say. */
export async function copiesAdded(context: Context): Promise<boolean> {
  return (await settingsOf(context)).copy_added === "always";
}

export function hasNewSource({ sync, before }: CaptureDifference): boolean {
  return sourcesOf(sync).some((db) => !sourcesOf(before).includes(db));
}

/** Also when the user has interrupted: what was begun must not stay. */
export async function takeBack(context: Context, grown: readonly CaptureDifference[]): Promise<void> {
  const stubborn = { ...context, signal: new AbortController().signal };
  for (const { sync, before, newTables } of grown) {
    for (const source of sourcesOf(sync)) {
      if (!sourcesOf(before).includes(source)) {
        await release(stubborn, source, sync.id);
        continue;
      }
      const known = receiversOf(before, source);
      for (const target of receiversOf(sync, source).filter((each) => !known.includes(each)))
        await release(stubborn, source, sync.id, { target });
      if (newTables.length > 0) await release(stubborn, source, sync.id, { tables: newTables });
    }
  }
}

/** Captures for syncs whose rows are committed but not ready; `undo` takes the rows back when that cannot be. */
export async function captureNew(
  context: Context,
  control: Session,
  {
    plan,
    checks,
    undo,
  }: { readonly plan: Plan; readonly checks: readonly SyncCheck[]; readonly undo: (control: Session) => Promise<void> },
): Promise<void> {
  for (const sync of plan.added) {
    try {
      await capture(context, sync, relationsOf(checks, sync.id));
      await commit(control, () => markSyncReady(control, sync.id, true));
    } catch (error) {
      await withdraw(context, control, sync, undo);
      throw error;
    }
  }
}

/** Nothing may be left of a sync that could not be added. If even that fails, its row stays, so that `remove sync` can. */
async function withdraw(context: Context, control: Session, sync: SyncRow, undo: (control: Session) => Promise<void>): Promise<void> {
  const stubborn = { ...context, signal: new AbortController().signal };
  try {
    for (const db of sourcesOf(sync)) await release(stubborn, db, sync.id);
    await commit(control, () => undo(control));
  } catch (error) {
    context.io.err(
      `Sync "${sync.name}" is half added and inactive (${(error as Error).message}); \`${context.program} remove sync ${sync.name}\` clears it.`,
    );
  }
}

/** Takes off the source what living syncs do not want any more. */
export async function shrink(context: Context, plan: Plan, unreachable: ReadonlySet<string>): Promise<void> {
  for (const { sync, before, leftSources, leftTables } of plan.changed) {
    for (const db of leftSources) if (!unreachable.has(db)) await release(context, db, sync.id);
    for (const db of sourcesOf(before).filter((each) => !leftSources.includes(each) && !unreachable.has(each))) {
      const wanted = receiversOf(sync, db);
      for (const target of receiversOf(before, db).filter((each) => !wanted.includes(each)))
        await release(context, db, sync.id, { target });
      if (leftTables.length > 0) await release(context, db, sync.id, { tables: leftTables });
    }
  }
}

function relationsOf(checks: readonly SyncCheck[], id: string): SyncCheck["relations"] {
  return checks.find((check) => check.sync.id === id)?.relations ?? [];
}
