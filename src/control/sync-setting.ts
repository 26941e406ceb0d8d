import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Settings that a sync has of its own, by its id; they win over those of the installation. */
export type SyncSettings = ReadonlyMap<string, Readonly<Record<string, string>>>;

export async function readSyncSettings(session: Session): Promise<SyncSettings> {
  const rows = await session.query<{ sync: string; settings: Record<string, string> }>(
    sql("control.sync-setting-read", "select sync, jsonb_object_agg(name, value) as settings from bucardo.sync_setting group by sync"),
  );
  return new Map(rows.map(({ sync, settings }) => [sync, settings]));
}

/** Null: as the installation has it. */
export async function writeSyncSetting(session: Session, syncId: string, name: string, value: string | null): Promise<void> {
  if (value === null) {
    await session.execute(
      sql("control.sync-setting-delete", "delete from bucardo.sync_setting where sync = $1 and name = $2", [syncId, name]),
    );
    return;
  }
  await session.execute(
    sql(
      "control.sync-setting-write",
      `insert into bucardo.sync_setting (sync, name, value) values ($1, $2, $3)
       on conflict (sync, name) do update set value = excluded.value, changed_at = now()`,
      [syncId, name, value],
    ),
  );
}
