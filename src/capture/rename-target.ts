import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { captureVersion, lockCapture } from "./schema.ts";

/**
 * A target of a sync gets another name; its checkpoint and what waits for it stay. Nobody may run the sync meanwhile. May be repeated: does nothing
 * when it was done before. Errors: already-exists.
 */
export async function renameTarget(source: Session, sync: string, from: string, to: string): Promise<void> {
  if ((await captureVersion(source)) === 0) return;
  await transaction(source, {}, async () => {
    await lockCapture(source);
    const known = await source.query<{ target: string }>(
      sql("capture.rename-look", "select target from bucardo.checkpoint where sync = $1 and target = any ($2::text[]) for update", [
        sync,
        [from, to],
      ]),
    );
    const names = known.map((row) => row.target);
    if (!names.includes(from)) return;
    if (names.includes(to))
      throw new BucardoError("already-exists", `source ${source.name} knows both ${from} and ${to} as targets of the sync`, {
        db: source.name,
      });
    await source.execute(
      sql(
        "capture.rename-checkpoint",
        `insert into bucardo.checkpoint (sync, target, installation, sync_name, snapshot, taken_at, run, source_identity, target_identity, target_xid)
         select sync, $3, installation, sync_name, snapshot, taken_at, run, source_identity, target_identity, target_xid
           from bucardo.checkpoint where sync = $1 and target = $2`,
        [sync, from, to],
      ),
    );
    for (const table of ["subscription", "intent"] as const) {
      await source.execute(
        sql(`capture.rename-${table}`, `update bucardo.${table} set target = $3 where sync = $1 and target = $2`, [sync, from, to]),
      );
    }
    await source.execute(sql("capture.rename-drop", "delete from bucardo.checkpoint where sync = $1 and target = $2", [sync, from]));
  });
}
