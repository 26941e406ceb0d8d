import { displayName } from "../model/name.ts";
import type { Entry } from "./entry.ts";
import { CLASS, factKey, type Fact, type Facts } from "./facts.ts";
import { tokensOf } from "./lexer.ts";
import type { Stage } from "./object.ts";

const byKind: Readonly<Record<string, Stage>> = {
  COMMENT: "comment",
  "SECURITY LABEL": "comment",
  ACL: "grant",
  "DEFAULT ACL": "grant",
  "EVENT TRIGGER": "event-trigger",
  PUBLICATION: "publication",
  "PUBLICATION TABLE": "publication",
  "PUBLICATION TABLES IN SCHEMA": "publication",
  STATISTICS: "statistics",
  TRIGGER: "trigger",
  RULE: "trigger",
  POLICY: "trigger",
  "ROW SECURITY": "trigger",
  "DATABASE PROPERTIES": "setting",
};

const afterData = new Set([
  "CONSTRAINT",
  "FK CONSTRAINT",
  "CHECK CONSTRAINT",
  "INDEX",
  "INDEX ATTACH",
  "TRIGGER",
  "RULE",
  "STATISTICS",
  "POLICY",
  "ROW SECURITY",
]);

/**
 * The stage of each entry. pg_dump sorts what needs a primary key (a view with GROUP BY over it, a function with such a body) behind the constraints:
 * whatever would be `pre` but stands there is `late`.
 */
export function stagesOf(entries: readonly Entry[], facts: Facts): Map<Entry, Stage> {
  let beforeData = true;
  const stages = new Map<Entry, Stage>();
  for (const entry of entries) {
    if (afterData.has(entry.kind)) beforeData = false;
    const stage = byKind[entry.kind] ?? partStage(entry, facts) ?? (beforeData ? "pre" : "late");
    stages.set(entry, stage);
  }
  return stages;
}

function partStage(entry: Entry, facts: Facts): Stage | null {
  if (entry.kind === "FK CONSTRAINT") return "foreign-key";
  if (entry.kind === "CHECK CONSTRAINT") return "check";
  if (entry.kind === "INDEX ATTACH") return indexStage(attachedIndex(entry, facts), facts);
  const fact = facts.parts.get(factKey(entry));
  if (entry.kind === "CONSTRAINT") return fact === undefined ? "unique" : constraintStage(fact, facts);
  if (entry.kind === "INDEX") return indexStage(entry.oid, facts);
  return null;
}

function constraintStage(fact: Fact, facts: Facts): Stage {
  if (fact.index === 0) return "check";
  return facts.keys.has(fact.index) ? "key" : "unique";
}

function indexStage(oid: number, facts: Facts): Stage {
  if (facts.keys.has(oid)) return "key";
  return facts.parts.get(factKey({ classId: CLASS.relation, oid }))?.detail === "index" ? "index" : "unique";
}

/** `ALTER INDEX s.parent ATTACH PARTITION s.child`: the child, whose entry has no oid. */
export function attachedIndex(entry: Entry, facts: Facts): number {
  const names = tokensOf(entry.statements[0]!).filter(({ kind }) => kind === "word" || kind === "name");
  const [schema, name] = names.slice(-2).map(({ value }) => value);
  return facts.indexes.get(displayName({ schema: schema!, name: name! })) ?? 0;
}
