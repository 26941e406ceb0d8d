import { deltaTable } from "../capture/name.ts";
import { lockCapture } from "../capture/schema.ts";
import { BucardoError } from "../model/error.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";

/**
 * The operator's word after a failover, restore or move: go on from the checkpoint that this source holds, with whatever answers now. What the lost
 * part of either history changed is not known; that is why it is never done by itself. A checkpoint whose transaction ids this server has not reached,
 * as after dump and restore into another one, tells nothing here: then everything is copied. The caller also forgets what the control database
 * remembers. Errors: checkpoint-missing.
 */
export async function acceptIdentity(
  source: Session,
  sync: { readonly id: string; readonly name: string },
  target: string | null,
): Promise<string[]> {
  return transaction(source, {}, async () => {
    await lockCapture(source);
    const rows = await source.query<{ target: string; foreign: boolean }>(
      sql(
        "replicate.accept",
        `update bucardo.checkpoint set source_identity = null, target_identity = null, target_xid = null
          where sync = $1 and ($2::text is null or target = $2)
         returning target, coalesce(txid_snapshot_xmax(snapshot::txid_snapshot) > txid_snapshot_xmax(txid_current_snapshot()), false) as "foreign"`,
        [sync.id, target],
      ),
    );
    if (rows.length === 0)
      throw new BucardoError(
        "checkpoint-missing",
        `source ${source.name} holds no checkpoint of sync ${sync.name}${target === null ? "" : ` for ${target}`}`,
        { db: source.name, sync: sync.name },
      );
    const foreign = rows.filter((row) => row.foreign);
    for (const row of foreign) await releaseBacklog(source, sync.id, row.target);
    if (foreign.length > 0) await forgetForeignDeltas(source);
    return rows.map((row) => row.target);
  });
}

/** Deltas that stand here although their transactions have not begun yet came with the dump; they would wait for ever, or be taken for others. */
async function forgetForeignDeltas(source: Session): Promise<void> {
  const generations = await source.query<{ captured_table: number; generation: number }>(
    sql("replicate.all-generations", "select captured_table, generation from bucardo.generation order by 1, 2"),
  );
  const tables = generations.map((each) => quoteName(deltaTable(each.captured_table, each.generation)));
  for (const table of [...tables, "bucardo.truncation"]) {
    await source.execute(
      sql("replicate.forget-foreign", `delete from ${table} where not txid_visible_in_snapshot(xid, txid_current_snapshot())`),
    );
  }
}

/** What waits for these targets is given up (quota): their deltas may be purged, and their tables are copied whole when they run again. */
export async function releaseBacklog(source: Session, syncId: string, target: string | null): Promise<void> {
  await source.execute(
    sql(
      "replicate.release-backlog",
      `with given as (
         update bucardo.checkpoint set snapshot = txid_current_snapshot()::text, taken_at = clock_timestamp(), run = run + 1
          where sync = $1 and ($2::text is null or target = $2) returning target)
       update bucardo.subscription s set recopy = true, since = case when not s.joined then s.since end, shape = null from given where s.sync = $1 and s.target = given.target`,
      [syncId, target],
    ),
  );
}
