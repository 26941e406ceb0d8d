import { carriedSyncs } from "../../capture/of-installation.ts";
import { askRecopy, subscribedTables, type Subscribed } from "../../capture/subscribed.ts";
import { markSyncReady, notifyChanged, type SyncRow } from "../../control/sync.ts";
import { forgetSettled } from "../../control/target-state.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import { receiversOf, sourcesOf } from "../../model/sync.ts";
import { relationsOn } from "../../model/terms.ts";
import type { Session } from "../../postgres/session.ts";
import { readShapes } from "../../capture/shape.ts";
import type { Context } from "../context.ts";
import { capture, release } from "./capture.ts";
import type { SyncCheck } from "./check.ts";

/**
 * Makes the capture of a sync what its definition says; what was done, in sentences. Capture that was complete stays untouched. Where something was
 * missing although the sync had been ready, changes may have gone by unseen: those tables are marked to be copied again, and the answer says so.
 */
export async function repairCapture(context: Context, sync: SyncRow, check: SyncCheck): Promise<string[]> {
  const [sourceName] = sourcesOf(sync);
  if (sourceName === undefined) return [];
  const source = await context.connectTo(sourceName);
  const control = await context.control();
  const done: string[] = [];

  const before = await subscribedTables(source, sync.id);
  const entry = (await carriedSyncs(source)).find((each) => each.sync === sync.id);
  const carried = entry?.targets ?? [];
  refuseHalfRenamed(sync, carried);
  const lost = await lostParts(source, before);
  // A sync whose capture never was complete has promised nothing yet: its changes count from now.
  const promised = sync.ready || entry?.begun === true;
  if (promised)
    for (const target of receiversOf(sync, sourcesOf(sync)[0] ?? ""))
      if (!carried.includes(target)) await forgetSettled(control, sync.id, target);
  await capture(context, sync, check.relations, promised ? sync : null);
  const after = await subscribedTables(source, sync.id);

  if (promised) {
    if (lost.length > 0)
      await askRecopy(
        source,
        lost.map(({ captured }) => captured),
      );
    const idOf = ({ captured, target }: Subscribed): string => `${captured} ${target}`;
    const known = new Set(before.map(idOf));
    const fresh = after.filter((table) => !known.has(idOf(table)));
    for (const name of new Set([...lost, ...fresh].map(displayName)))
      done.push(`${name}: capture was incomplete; the next run copies the table again`);
  }
  done.push(...(await releaseStrangers(context, sync, sourceName, after, carried)));
  if (!sync.ready) {
    await markSyncReady(control, sync.id, true);
    await notifyChanged(control);
    done.push("capture is complete now");
  }
  return done;
}

/** Tables of which a part lacks one of our triggers that it had at the checkpoint. */
async function lostParts(source: Session, tables: readonly Subscribed[]): Promise<Subscribed[]> {
  if (tables.length === 0) return [];
  const states = await readShapes(source, [...new Set(tables.map((table) => table.relation))]);
  return tables.filter(
    (table) => states.get(table.relation)?.uncaptured.some((leaf) => table.leaves === null || table.leaves.includes(leaf)) ?? false,
  );
}

/** A rename of a target that was broken off between the source and here: a new checkpoint would lose what waits for the old name. */
function refuseHalfRenamed(sync: SyncRow, carried: readonly string[]): void {
  const missing = receiversOf(sync, sourcesOf(sync)[0] ?? "").filter((target) => !carried.includes(target));
  const strange = carried.filter((target) => !receiversOf(sync, sourcesOf(sync)[0] ?? "").includes(target));
  const [from, to] = [missing[0], strange[0]];
  if (sync.ready || from === undefined || to === undefined) return;
  throw new BucardoError("in-use", `The source knows the target "${from}" as "${to}": renaming it was interrupted.`, {
    sync: sync.name,
    advice: `Finish it: \`bucardo update db ${from} name=${to}\`.`,
  });
}

/** What is captured for this sync although it does not want it: left over by a command that was interrupted. */
async function releaseStrangers(
  context: Context,
  sync: SyncRow,
  source: string,
  tables: readonly Subscribed[],
  carried: readonly string[],
): Promise<string[]> {
  const wanted = new Set(relationsOn(sync, source).map(displayName));
  const tablesLeft = tables.filter((table) => !wanted.has(displayName(table)));
  const targetsLeft = carried.filter((target) => !receiversOf(sync, sourcesOf(sync)[0] ?? "").includes(target));
  if (tablesLeft.length > 0) await release(context, source, sync.id, { tables: tablesLeft.map(({ schema, name }) => ({ schema, name })) });
  for (const target of targetsLeft) await release(context, source, sync.id, { target });
  const names = [...new Set([...tablesLeft.map(displayName), ...targetsLeft.map((target) => `target ${target}`)])];
  return names.map((name) => `${name}: capture that nobody wants any more was removed`);
}
