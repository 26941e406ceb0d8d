import { captureTable } from "../capture/capture-table.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Batch, RunDefinition } from "./definition.ts";

/**
 * A partition attached since the last run has no triggers for statements that name it, and a trigger may have been dropped by hand. The run is
 * void then: capture is completed first, and only a later snapshot may count (hazard 19). What changed meanwhile in a part that was captured before is
 * unknown: its triggers are others than at the checkpoint, so its table is copied again. A part that is new is sent with all its keys.
 */
export async function mendCapture(source: Session, definition: RunDefinition, batch: Batch): Promise<void> {
  const broken = batch.tables.filter((table) => table.uncaptured.length > 0);
  const [first] = broken;
  if (first === undefined) return;
  await source.execute(sql("replicate.leave-snapshot", "rollback"));
  for (const table of broken) {
    await captureTable(source, {
      table: table.name,
      key: table.keyColumns,
      notify: false,
      sync: definition.sync.id,
      targets: [],
      lockTimeoutMs: 2000,
    });
    await source.execute(
      sql("replicate.ask-recopy", "update bucardo.subscription set recopy = true where captured_table = $1 and shape is null", [
        table.captured,
      ]),
    );
  }
  throw new BucardoError("run-void", `capture of ${displayName(first.name)} was incomplete and has been mended`, {
    db: source.name,
    table: displayName(first.name),
  });
}
