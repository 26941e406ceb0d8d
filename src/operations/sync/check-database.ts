import { compareDatabases, readDatabaseFacts } from "../../catalog/database.ts";
import { checkSourceDatabase, checkTargetDatabase } from "../../catalog/privilege.ts";
import type { Problem } from "../../model/error.ts";
import { sourcesOf, targetsOf, type SyncDefinition } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";

/** What our user lacks in the databases of a sync as a whole, and encodings that do not fit together. */
export async function databaseProblems(sync: SyncDefinition, sessions: ReadonlyMap<string, Session>): Promise<Problem[]> {
  const read = (names: readonly string[]) => Promise.all(names.flatMap((name) => sessions.get(name) ?? []).map(readDatabaseFacts));
  const all = sourcesOf(sync);
  // Where there are several, each is written to as well.
  const written = all.length > 1 ? [...new Set([...all, ...targetsOf(sync)])] : targetsOf(sync);
  const [sources, targets] = [await read(all), await read(written)];
  return [
    ...sources.flatMap(checkSourceDatabase),
    ...targets.flatMap(checkTargetDatabase),
    ...sources.flatMap((source) => targets.flatMap((target) => (source.db === target.db ? [] : compareDatabases(source, target)))),
  ];
}
