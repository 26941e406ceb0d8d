import { renameTarget } from "../../capture/rename-target.ts";
import { readDatabase, findDatabase, updateDatabase } from "../../control/database.ts";
import { renameInHistory } from "../../control/rename.ts";
import { markSyncReady, readSyncs, type SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { sourcesOf, targetsOf } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { commit, confirm } from "../change.ts";
import type { Context } from "../context.ts";
import { withDefinitionLock } from "../sync/definition-lock.ts";
import { nameProblem } from "./draft.ts";

/**
 * A database gets another name here. Where it is a target, its name also stands in the checkpoints on the sources: nobody runs those syncs while both
 * places change. An interruption leaves them inactive; the same command again finishes it.
 */
export async function renameDatabase(context: Context, from: string, to: string): Promise<string[]> {
  const control = await context.control();
  return await withDefinitionLock(context, control, () => renameLocked(context, control, from, to));
}

async function renameLocked(context: Context, control: Session, from: string, to: string): Promise<string[]> {
  const problem = nameProblem("database", to);
  if (problem !== null) throw new BucardoError("bad-value", `${problem.what}.`, { advice: problem.remedy });
  if ((await findDatabase(control, to)) !== null) throw new BucardoError("already-exists", `The name "${to}" already exists.`, { db: to });
  const database = await readDatabase(control, from);
  const affected = (await readSyncs(control)).filter((sync) => targetsOf(sync).includes(from));
  for (const sync of affected) for (const source of sourcesOf(sync)) await context.connectTo(source);
  const messages = [`Changed bucardo.db name from ${from} to ${to}`];
  if (context.flags.dryrun) return messages;
  if (context.flags.confirm) await confirm(context, messages);

  await commit(control, async () => {
    for (const sync of affected) await markSyncReady(control, sync.id, false);
  });
  await renameOnSources(context, affected, from, to);
  await commit(control, async () => {
    await updateDatabase(control, from, { ...database, name: to });
    await renameInHistory(control, from, to);
    for (const sync of affected) await markSyncReady(control, sync.id, true);
  });
  return messages;
}

async function renameOnSources(context: Context, syncs: readonly SyncRow[], from: string, to: string): Promise<void> {
  const renamed: SyncRow[] = [];
  try {
    for (const sync of syncs) {
      for (const source of sourcesOf(sync)) await renameTarget(await context.connectTo(source), sync.id, from, to);
      renamed.push(sync);
    }
  } catch (error) {
    const control = await context.control();
    for (const sync of renamed)
      for (const source of sourcesOf(sync)) await renameTarget(await context.connectTo(source), sync.id, to, from);
    await commit(control, async () => {
      for (const sync of syncs) await markSyncReady(control, sync.id, sync.ready);
    });
    throw error;
  }
}
