import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/**
 * The operator's word after a failover, restore or move: go on from the checkpoint that this source holds, with whatever answers now. What the lost
 * part of either history changed is not known; that is why it is never done by itself. The caller also forgets what the control database remembers.
 * Errors: checkpoint-missing.
 */
export async function acceptIdentity(
  source: Session,
  sync: { readonly id: string; readonly name: string },
  target: string | null,
): Promise<string[]> {
  const rows = await source.query<{ target: string }>(
    sql(
      "replicate.accept",
      `update bucardo.checkpoint set source_identity = null, target_identity = null, target_xid = null
        where sync = $1 and ($2::text is null or target = $2) returning target`,
      [sync.id, target],
    ),
  );
  if (rows.length === 0)
    throw new BucardoError(
      "checkpoint-missing",
      `source ${source.name} holds no checkpoint of sync ${sync.name}${target === null ? "" : ` for ${target}`}`,
      { db: source.name, sync: sync.name },
    );
  return rows.map((row) => row.target);
}

/** What waits for these targets is given up (quota): their deltas may be purged, and their tables are copied whole when they run again. */
export async function releaseBacklog(source: Session, syncId: string, target: string | null): Promise<void> {
  await source.execute(
    sql(
      "replicate.release-backlog",
      `with given as (
         update bucardo.checkpoint set snapshot = txid_current_snapshot()::text, taken_at = clock_timestamp(), run = run + 1
          where sync = $1 and ($2::text is null or target = $2) returning target)
       update bucardo.subscription s set recopy = true, since = null, shape = null from given where s.sync = $1 and s.target = given.target`,
      [syncId, target],
    ),
  );
}
