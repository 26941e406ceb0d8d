import { installCapture } from "../capture/install.ts";
import { displayName } from "../model/name.ts";
import { definitionOf, NEW, openOld, syncOf, type Move, type PhaseResult } from "./move.ts";
import { selectRelations } from "./selection.ts";
import { updateMigration } from "./state.ts";

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
    // A table that is in heavy use is tried for some minutes, a second or two at a time: we never queue the application behind us.
    attempts: 60,
    // The copy lets each table join the runs when its last piece has arrived.
    join: false,
    signal: move.signal,
  });
  for (const each of relations.leftOut) move.onMessage(`left out: ${displayName(each)} (${each.why})`);
  const unkeyed = relations.tables.filter((table) => table.handling === "window");
  if (unkeyed.length > 0)
    move.onMessage(`without key, so copied whole while nobody writes, at the cutover: ${unkeyed.map(displayName).join(", ")}`);
  return { tables: expected, sequences: relations.sequences.length, withoutKey: unkeyed.map(displayName) };
}
