import type { Problem } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { Relation, SyncDefinition } from "../../model/sync.ts";
import { nameOn } from "../../model/terms.ts";
import type { Session } from "../../postgres/session.ts";
import { sql } from "../../postgres/sql.ts";

/**
 * Two names of one sync that lead to the very same database: its changes would chase their own tail. Unless every relation has another name on the one than
 * on the other (customname).
 */
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
    const shared = other === undefined ? [] : sync.relations.filter((relation) => sameName(sync, relation, db, other));
    if (other !== undefined && (shared.length > 0 || sync.relations.length === 0))
      problems.push({
        grade: "error",
        db,
        what: `it is the same database as ${other}${shared.length === sync.relations.length ? "" : `, and ${shared.map(displayName).join(", ")} would be copied onto itself`}`,
        remedy: `Check host, port and dbname of both; or give the tables other names there: \`bucardo add customname TABLE NEWNAME db=${db}\`.`,
      });
    places.set(place, db);
  }
  return problems;
}

function sameName(sync: SyncDefinition, relation: Relation, one: string, other: string): boolean {
  return displayName(nameOn(sync, relation, one)) === displayName(nameOn(sync, relation, other));
}
