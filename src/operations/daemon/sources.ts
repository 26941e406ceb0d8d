import { readDatabases } from "../../control/database.ts";
import { readSyncs, type SyncRow } from "../../control/sync.ts";
import { sourcesOf } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { select } from "../pattern.ts";

export type Source = { readonly db: string; readonly syncs: readonly SyncRow[] };

/** Active databases that are the source of a sync, with their syncs; `words` choose by name of the database. */
export async function readSources(
  control: Session,
  words: readonly string[],
): Promise<{ readonly sources: Source[]; readonly unmatched: readonly string[] }> {
  const syncs = await readSyncs(control);
  const databases = (await readDatabases(control)).filter((database) => database.status === "active");
  const sources = databases
    .map((database) => ({ db: database.name, syncs: syncs.filter((sync) => sourcesOf(sync).includes(database.name)) }))
    .filter((one) => one.syncs.length > 0);
  if (words.length === 0) return { sources, unmatched: [] };
  const { chosen, unmatched } = select(sources, words, (one) => one.db);
  return { sources: chosen, unmatched };
}
