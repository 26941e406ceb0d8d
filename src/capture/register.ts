import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { CaptureRequest } from "./install.ts";

type Registration = Pick<CaptureRequest, "sync" | "installation" | "targets">;

/** One row per target, without a snapshot: from its commit on nothing is purged. Existing checkpoints stay as they are. */
export async function registerSync(source: Session, { sync, installation, targets }: Registration): Promise<void> {
  await source.execute(
    sql(
      "capture.register",
      `insert into bucardo.checkpoint (sync, target, installation, sync_name)
       select $1, t, $2, $3 from unnest($4::text[]) t
       on conflict (sync, target) do update set sync_name = excluded.sync_name where bucardo.checkpoint.sync_name <> excluded.sync_name`,
      [sync.id, installation, sync.name, targets],
    ),
  );
}

/**
 * The snapshot from which changes count: for a new target that of the checkpoint, for a table that joins a living one its own.
 * One statement, so one snapshot; the pins of registerSync and captureTable were committed before (hazard 15).
 */
export async function joinSync(source: Session, { sync, targets }: Registration): Promise<void> {
  await source.execute(
    sql(
      "capture.join",
      `with now_is as (select txid_current_snapshot()::text as snapshot),
       began as (
         update bucardo.checkpoint c set snapshot = now_is.snapshot, taken_at = clock_timestamp()
           from now_is where c.sync = $1 and c.target = any ($2::text[]) and c.snapshot is null
         returning c.target)
       update bucardo.subscription s
          set joined = true, since = case when s.target in (select target from began) then null else now_is.snapshot end
         from now_is
        where s.sync = $1 and s.target = any ($2::text[]) and not s.joined`,
      [sync.id, targets],
    ),
  );
}
