import { readSyncs, type SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import type { Session } from "../../postgres/session.ts";
import { select } from "../pattern.ts";

/** The syncs that the words name: names, wildcards (`*`, `%`) or `all`. Errors: unknown-object, naming every word that fits none. */
export async function selectSyncs(control: Session, words: readonly string[]): Promise<SyncRow[]> {
  const { chosen, unmatched } = select(await readSyncs(control), words, (sync) => sync.name);
  const unknown = unmatched.filter((word) => word.toLowerCase() !== "all");
  if (unknown.length > 0) {
    const names = unknown.map((name) => `"${name}"`).join(", ");
    throw new BucardoError("unknown-object", `Unknown sync${unknown.length > 1 ? "s" : ""}: ${names}.`, {
      advice: "`bucardo list syncs` shows the existing ones.",
    });
  }
  return chosen;
}
