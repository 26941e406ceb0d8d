import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Switches syncs on or off; returns the ids of those that were not so before. */
export async function setStatus(session: Session, syncIds: readonly string[], status: "active" | "inactive"): Promise<string[]> {
  const rows = await session.query<{ id: string }>(
    sql(
      "control.sync-status",
      "update bucardo.sync set status = $2, changed_at = pg_catalog.now() where id = any ($1::uuid[]) and status <> $2 returning id",
      [syncIds, status],
    ),
  );
  return rows.map(({ id }) => id);
}

/** Pauses or resumes syncs, across restarts of the daemon; returns the ids of those that were not so before. */
export async function setPaused(session: Session, syncIds: readonly string[], paused: boolean): Promise<string[]> {
  const rows = await session.query<{ id: string }>(
    sql(
      "control.sync-paused",
      "update bucardo.sync set paused = $2, changed_at = pg_catalog.now() where id = any ($1::uuid[]) and paused <> $2 returning id",
      [syncIds, paused],
    ),
  );
  return rows.map(({ id }) => id);
}
