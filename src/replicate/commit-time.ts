import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { TableLink } from "./table-link.ts";

const known = new WeakMap<Session, boolean>();

/** Whether the server remembers when a transaction was committed; asked once per connection, and only where somebody wants to know. */
export async function hasCommitTimes(session: Session, link: Pick<TableLink, "relays">): Promise<boolean> {
  if (link.relays.length === 0) return false;
  const there = known.get(session);
  if (there !== undefined) return there;
  const { on } = await session.one<{ on: boolean }>(
    sql("replicate.commit-times", `select current_setting('track_commit_timestamp') = 'on' as "on"`),
  );
  known.set(session, on);
  return on;
}
