import type { Problem } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { Relation, SyncDefinition } from "../../model/sync.ts";
import { nameOn } from "../../model/terms.ts";
import type { Session } from "../../postgres/session.ts";
import { isOneDatabase } from "../../replicate/one-database.ts";

/**
 * Two names of one sync that lead to the very same database: its changes would chase their own tail. Unless every relation has another name on the one than
 * on the other (customname).
 */
export async function samePlaceProblems(sync: SyncDefinition, sessions: ReadonlyMap<string, Session>): Promise<Problem[]> {
  const problems: Problem[] = [];
  const seen: { readonly db: string; readonly session: Session }[] = [];
  for (const { db } of sync.members) {
    const session = sessions.get(db);
    if (session === undefined) continue;
    const other = await sameAs(session, seen);
    const shared = other === undefined ? [] : sync.relations.filter((relation) => sameName(sync, relation, db, other));
    if (other !== undefined && (shared.length > 0 || sync.relations.length === 0))
      problems.push({
        grade: "error",
        db,
        what: `it is the same database as ${other}${shared.length === sync.relations.length ? "" : `, and ${shared.map(displayName).join(", ")} would be copied onto itself`}`,
        remedy: `Check host, port and dbname of both; or give the tables other names there: \`bucardo add customname TABLE NEWNAME db=${db}\`.`,
      });
    seen.push({ db, session });
  }
  return problems;
}

async function sameAs(
  session: Session,
  others: readonly { readonly db: string; readonly session: Session }[],
): Promise<string | undefined> {
  for (const other of others) if (await isOneDatabase(other.session, session)) return other.db;
  return undefined;
}

function sameName(sync: SyncDefinition, relation: Relation, one: string, other: string): boolean {
  return displayName(nameOn(sync, relation, one)) === displayName(nameOn(sync, relation, other));
}
