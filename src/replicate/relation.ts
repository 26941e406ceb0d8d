import type { Relation, SyncDefinition } from "../model/sync.ts";
import { nameOn, termsOf } from "../model/terms.ts";
import type { RunRelation } from "./definition.ts";

/** One relation of a sync as a run from this source to this target knows it. */
export function relationFor(sync: SyncDefinition, relation: Relation, source: string, target: string): RunRelation {
  const { kind, keyColumns, copying = {} } = relation;
  const terms = termsOf(sync, relation, source, target);
  return {
    kind,
    name: nameOn(sync, relation, source),
    key: keyColumns === null ? null : [...keyColumns],
    ...(relation.strictChecking === false && { strict: false }),
    ...(terms !== undefined && { terms }),
    ...(Object.keys(copying).length > 0 && { copying }),
  };
}
