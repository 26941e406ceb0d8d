import type { Problem } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import { sourcesOf, targetsOf, type SyncDefinition } from "../../model/sync.ts";

/**
 * Syncs one behind the other over the same tables: what the first writes is not captured where it arrives (triggers are silent for replicated rows), so
 * the second never hears of it. Of use only for rows that are written there by applications. Pure.
 */
export function chainProblems(sync: SyncDefinition, others: readonly SyncDefinition[]): Problem[] {
  return others.filter((other) => other.id !== sync.id).flatMap((other) => [...chained(other, sync), ...chained(sync, other)]);
}

function chained(first: SyncDefinition, second: SyncDefinition): Problem[] {
  const [origin = ""] = sourcesOf(first);
  const tables = new Set(first.relations.filter(({ kind }) => kind === "table").map(displayName));
  const shared = second.relations.filter((relation) => relation.kind === "table" && tables.has(displayName(relation))).map(displayName);
  const [table] = shared;
  if (table === undefined) return [];
  const more = shared.length > 1 ? ` and ${shared.length - 1} more` : "";
  const ends = targetsOf(second).filter((db) => db !== origin);
  return sourcesOf(second)
    .filter((db) => targetsOf(first).includes(db) && ends.length > 0)
    .map((db) => ({
      grade: "warning",
      db,
      what: `${table}${more}: what sync "${first.name}" writes there is not captured, so sync "${second.name}" does not hand it on to ${ends.join(", ")}`,
      remedy: `Make ${ends.join(", ")} ${ends.length > 1 ? "targets" : "a target"} of sync "${first.name}".`,
    }));
}
