import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Longest name of a channel in bytes. */
const LONGEST = 63;

/** What can be told of the daemon itself, and of a sync. */
export type DaemonEvent = "boot" | "started" | "stopped" | "nosyncs" | "mcp_pong" | "reload_config_finished" | "reloaded_mcp";
export type SyncEvent =
  "syncdone" | "synckill" | "syncsleep" | "syncerror" | "activated_sync" | "deactivated_sync" | "reloaded_sync" | "reload_error_sync";
export type Announcement = DaemonEvent | `${SyncEvent}_${string}`;

/** Channels of version 5 that applications and test suites wait on: `bucardo_syncdone_SYNC`, `bucardo_synckill_SYNC`, `bucardo_started` ... */
export async function announce(session: Session, event: Announcement): Promise<void> {
  const channel = Buffer.from(`bucardo_${event}`);
  // A longer name would be an error of the server, and nobody could listen to it either.
  if (channel.length > LONGEST) return;
  await session.query(sql("control.announce", "select pg_catalog.pg_notify($1, '')", [channel.toString()]));
}

/** The sync that a notification of an application asks to run: payload `kick_sync_S` of channel `bucardo`, or channel `bucardo_kick_sync_S`; null: none. */
export function syncOfKick(text: string): string | null {
  return /^(?:bucardo_)?kick_sync_(.+)$/s.exec(text)?.[1] ?? null;
}

/** The channel by which applications of version 4 kick a sync; null where its name is too long for one. */
export function kickChannel(sync: string): string | null {
  const channel = `bucardo_kick_sync_${sync}`;
  return Buffer.byteLength(channel) > LONGEST ? null : channel;
}
