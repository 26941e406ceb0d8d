import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Longest name of a channel in bytes. */
const LONGEST = 63;

/** Channels of version 5 that applications and test suites wait on: `bucardo_syncdone_SYNC`, `bucardo_synckill_SYNC`, `bucardo_started` ... */
export async function announce(session: Session, event: string): Promise<void> {
  const channel = Buffer.from(`bucardo_${event}`);
  // A longer name would be an error of the server, and nobody could listen to it either.
  if (channel.length > LONGEST) return;
  await session.query(sql("control.announce", "select pg_catalog.pg_notify($1, '')", [channel.toString()]));
}

export async function announceSync(session: Session, event: "syncdone" | "synckill", sync: string): Promise<void> {
  await announce(session, `${event}_${sync}`);
}
