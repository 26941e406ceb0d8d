import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import type { CaptureRequest } from "./request.ts";
import { readShapes } from "./shape.ts";

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

/** `since` of a table that has not joined because it is copied in pieces (src/copy): everything waits for it, and only the end of the copy lets it join. */
export const IN_COPY = "1:1:";

/** Somebody else may be at the same subscriptions; then again from the beginning. */
const JOIN_ATTEMPTS = 5;

/**
 * The snapshot from which changes count: for a new target that of the checkpoint, for a table that joins a living one its own; and the shape of each
 * table in it, against which its first run finds what left, joined or was rewritten meanwhile (hazards 2, 19). One REPEATABLE READ transaction, so one
 * snapshot; the pins of registerSync and captureTable were committed before (hazard 15).
 */
export async function joinSync(source: Session, registration: Registration): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(source, { isolation: "repeatable read" }, () => join(source, registration));
    } catch (error) {
      if (!(error instanceof BucardoError) || error.code !== "serialization" || attempt >= JOIN_ATTEMPTS) throw error;
    }
  }
}

async function join(source: Session, { sync, targets }: Registration): Promise<void> {
  const tables = await source.query<{ id: number; relation: number }>(
    sql(
      "capture.joining",
      `select distinct t.id, t.relation from bucardo.subscription s join bucardo.captured_table t on t.id = s.captured_table
        where s.sync = $1 and s.target = any ($2::text[]) and not s.joined and s.since is null`,
      [sync.id, targets],
    ),
  );
  const shapes = await readShapes(
    source,
    tables.map((table) => table.relation),
  );
  const known = tables.flatMap(({ id, relation }) => (shapes.has(relation) ? [{ captured: id, shape: shapes.get(relation)!.shape }] : []));
  await source.execute(
    sql(
      "capture.join",
      `with now_is as (select txid_current_snapshot()::text as snapshot),
       began as (
         update bucardo.checkpoint c set snapshot = now_is.snapshot, taken_at = clock_timestamp()
           from now_is where c.sync = $1 and c.target = any ($2::text[]) and c.snapshot is null
         returning c.target)
       update bucardo.subscription s
          set joined = true, shape = n.shape, since = case when s.target in (select target from began) then null else now_is.snapshot end
         from now_is, json_to_recordset($3::json) n (captured int, shape jsonb)
        where s.sync = $1 and s.target = any ($2::text[]) and s.captured_table = n.captured and not s.joined and s.since is null`,
      [sync.id, targets, JSON.stringify(known)],
    ),
  );
}
