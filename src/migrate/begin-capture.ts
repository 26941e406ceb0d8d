import { backoff } from "../base/backoff.ts";
import { sleep } from "../base/sleep.ts";
import { installImages } from "../capture/image-table.ts";
import { installCapture } from "../capture/install.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { retries } from "../model/retry.ts";
import type { Session } from "../postgres/session.ts";
import { definitionOf, NEW, openOld, syncOf, type Move, type PhaseResult } from "./move.ts";
import { selectRelations, type Selection } from "./selection.ts";
import { updateMigration } from "./state.ts";

/** A table that is in heavy use is tried for some minutes, a second or two at a time: we never queue the application behind us. */
const ATTEMPTS = 60;
const LOCK_MS = 2000;

/** From here on every change of a followed table leaves a delta; what the copy reads too early is sent again by the repair run. */
export async function beginCapture(move: Move): Promise<PhaseResult> {
  await using source = await openOld(move, "capture");
  const relations = move.migration.relations ?? (await selectRelations(source, move.migration.options));
  await updateMigration(move.state, { relations });
  const { relations: captured } = definitionOf(move.migration, relations);
  const expected = captured.filter(({ kind }) => kind === "table").length;
  move.report({ expected, unit: "tables" });
  await installCapture(source, {
    sync: syncOf(move.migration),
    installation: move.migration.id,
    targets: [NEW],
    relations: captured.map((relation) => ({ ...relation, autokick: false })),
    onBlocked: (message) => move.onMessage(`waiting: ${message}`),
    attempts: ATTEMPTS,
    // The copy lets each table join the runs when its last piece has arrived, and with the first one the runs begin. Without any they do at once.
    join: expected === 0,
    signal: move.signal,
  });
  for (const each of relations.leftOut) move.onMessage(`left out: ${displayName(each)} (${each.why})`);
  await captureImages(move, source, relations);
  const unkeyed = relations.tables.filter((table) => table.handling === "window");
  if (unkeyed.length > 0)
    move.onMessage(`without key, so copied whole while nobody writes, at the cutover: ${unkeyed.map(displayName).join(", ")}`);
  return { tables: expected, sequences: relations.sequences.length, withoutKey: unkeyed.map(displayName) };
}

/** Tables without key that are followed all the same. */
async function captureImages(move: Move, source: Session, { tables }: Selection): Promise<void> {
  const images = tables.filter((table) => table.handling === "image");
  if (images.length > 0) move.onMessage(`without key, so followed by what their rows hold: ${images.map(displayName).join(", ")}`);
  for (const { schema, name } of images) {
    for (let attempt = 1; ; attempt++) {
      try {
        await installImages(source, syncOf(move.migration).id, [{ schema, name }], { lockTimeoutMs: LOCK_MS, equal: false });
        break;
      } catch (error) {
        if (!(error instanceof BucardoError) || error.code !== "lock-timeout" || attempt >= ATTEMPTS) throw error;
        move.onMessage(`waiting: ${error.message}`);
        await sleep(backoff(attempt, retries.tableLock), move.signal);
      }
    }
  }
}
