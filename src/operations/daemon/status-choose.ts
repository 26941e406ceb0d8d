import { BucardoError } from "../../model/error.ts";
import { select } from "../pattern.ts";
import type { Status, SyncStatus } from "./status-read.ts";

/** The syncs that the words name. Errors: unknown-object, with every word that fits none. */
export function chooseSyncs(all: Pick<Status, "syncs">, names: readonly string[]): readonly SyncStatus[] {
  const { chosen, unmatched } = select(all.syncs, names, (one) => one.sync.name);
  const unknown = unmatched.filter((word) => word.toLowerCase() !== "all");
  if (unknown.length === 0) return chosen;
  throw new BucardoError(
    "unknown-object",
    `Unknown sync${unknown.length > 1 ? "s" : ""}: ${unknown.map((word) => `"${word}"`).join(", ")}.`,
    {
      advice: "`bucardo list syncs` shows the existing ones.",
    },
  );
}
