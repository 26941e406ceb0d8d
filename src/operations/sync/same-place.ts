import type { Problem } from "../../model/error.ts";
import type { SyncDefinition } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { sql } from "../../postgres/sql.ts";

/** Two names of one sync that lead to the very same database: its changes would chase their own tail. */
export async function samePlaceProblems(sync: SyncDefinition, sessions: ReadonlyMap<string, Session>): Promise<Problem[]> {
  const places = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { db } of sync.members) {
    const session = sessions.get(db);
    if (session === undefined) continue;
    const { place } = await session.one<{ place: string }>(
      sql("check.place", "select (select s.system_identifier from pg_control_system() s) || '/' || current_database() as place"),
    );
    const other = places.get(place);
    if (other !== undefined)
      problems.push({ grade: "error", db, what: `it is the same database as ${other}`, remedy: "Check host, port and dbname of both." });
    places.set(place, db);
  }
  return problems;
}
