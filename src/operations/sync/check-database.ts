import { compareDatabases, readDatabaseFacts } from "../../catalog/database.ts";
import { checkSourceDatabase, checkTargetDatabase } from "../../catalog/privilege.ts";
import type { Problem } from "../../model/error.ts";
import { sourcesOf, targetsOf, type SyncDefinition } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";

/** What our user lacks in the databases of a sync as a whole, and encodings that do not fit together. */
export async function databaseProblems(sync: SyncDefinition, sessions: ReadonlyMap<string, Session>): Promise<Problem[]> {
  const read = (names: readonly string[]) => Promise.all(names.flatMap((name) => sessions.get(name) ?? []).map(readDatabaseFacts));
  const [sources, targets] = [await read(sourcesOf(sync)), await read(targetsOf(sync))];
  return [
    ...sources.flatMap(checkSourceDatabase),
    ...targets.flatMap(checkTargetDatabase),
    ...sources.flatMap((source) => targets.flatMap((target) => compareDatabases(source, target))),
  ];
}
