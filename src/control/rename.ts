import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** What remembers a database by its name without a foreign key: the history and state of targets. */
export async function renameInHistory(session: Session, from: string, to: string): Promise<void> {
  for (const table of ["run", "kick_target", "target_state"] as const) {
    await session.execute(sql(`control.rename-in-${table}`, `update bucardo.${table} set target = $2 where target = $1`, [from, to]));
  }
}
