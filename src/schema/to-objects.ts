import type { Problem } from "../model/error.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import { adaptStatement } from "./adapt.ts";
import type { Entry } from "./entry.ts";
import { CLASS, factKey, type Fact, type Facts } from "./facts.ts";
import { tokensOf } from "./lexer.ts";
import type { SchemaObject, Stage } from "./object.ts";
import { attachedIndex, stagesOf } from "./stage.ts";

type Context = { readonly db: string; readonly sourceVersion: number; readonly targetVersion: number };

/** Objects in stages, with those that a dump without rows does not have: VALIDATE of foreign keys. Materialized views are filled by copy/materialized-view.ts. */
export function toObjects(entries: readonly Entry[], facts: Facts, context: Context): { objects: SchemaObject[]; notes: Problem[] } {
  const stages = stagesOf(entries, facts);
  const byDumpId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const seen = new Map<string, number>();
  const notes: Problem[] = [];
  const objects = entries
    .filter((entry) => !isOurs(entry) && !isOurs(subjectOf(entry, byDumpId)) && !isPlainComment(entry, subjectOf(entry, byDumpId), facts))
    .flatMap((entry) => {
      const object = toObject(entry, subjectOf(entry, byDumpId), stages.get(entry)!, facts, uniqueId(entry, seen));
      const statements = object.statements.flatMap((text) => adaptStatement(text, context.targetVersion) ?? []);
      if (statements.length === 0) {
        notes.push({
          grade: "warning",
          db: context.db,
          what: `${object.id} is left out: the other side does not know it`,
          remedy: "Nothing to do.",
        });
        return [];
      }
      return expand({ ...object, statements }, facts);
    });
  return { objects: [...publicSchema(context), ...objects], notes };
}

/** Triggers of ours on tables of the users, which call functions in schema bucardo, and whatever belongs to them. */
function isOurs(entry: Entry): boolean {
  if (entry.schema === "bucardo") return true;
  if (entry.kind === "SCHEMA" && entry.tag === "bucardo") return true;
  if (entry.kind !== "TRIGGER" && entry.kind !== "EVENT TRIGGER") return false;
  const tokens = tokensOf(entry.statements[0]!).map(({ value }) => value);
  return tokens.some((word, index) => word === "execute" && tokens[index + 2] === "bucardo" && tokens[index + 3] === ".");
}

/** Who may not own an extension that a provider has installed may not comment on it either, and it says the same already. */
function isPlainComment(entry: Entry, subject: Entry, facts: Facts): boolean {
  return entry.kind === "COMMENT" && subject.classId === CLASS.extension && facts.plainExtensions.has(subject.oid);
}

function uniqueId(entry: Entry, seen: Map<string, number>): string {
  const plain = `${entry.kind} ${entry.schema === null ? entry.tag : `${entry.schema}.${entry.tag}`}`;
  const count = (seen.get(plain) ?? 0) + 1;
  seen.set(plain, count);
  return count === 1 ? plain : `${plain} #${count}`;
}

/** What a comment or grant belongs to; everything else is its own. */
function subjectOf(entry: Entry, byDumpId: ReadonlyMap<number, Entry>): Entry {
  if (entry.oid !== 0) return entry;
  return entry.dependencies.map((id) => byDumpId.get(id)).find((other) => other !== undefined && other.oid !== 0) ?? entry;
}

function toObject(entry: Entry, subject: Entry, stage: Stage, facts: Facts, id: string): SchemaObject {
  const fact = factOf(entry, facts);
  const isTable = entry.schema !== null && (entry.kind === "ROW SECURITY" || (entry.classId === CLASS.relation && entry.kind !== "INDEX"));
  return {
    id,
    kind: entry.kind,
    schema: entry.schema,
    name: entry.tag,
    of: fact?.of ?? (isTable ? { schema: entry.schema, name: entry.tag } : null),
    owner: entry.owner,
    stage,
    statements: entry.statements,
    tablespace: entry.tablespace,
    accessMethod: entry.accessMethod,
    classId: subject.classId,
    oid: subject.oid,
    pages: fact?.pages ?? 0,
  };
}

function factOf(entry: Entry, facts: Facts): Fact | undefined {
  if (entry.kind === "INDEX ATTACH") return facts.parts.get(factKey({ classId: CLASS.relation, oid: attachedIndex(entry, facts) }));
  return facts.parts.get(factKey(entry));
}

/** A foreign key is added without looking at the rows, where that can be had, and validated later, when nothing is locked by it. */
function expand(object: SchemaObject, facts: Facts): SchemaObject[] {
  const fact = facts.parts.get(factKey(object));
  if (object.stage === "foreign-key" && fact !== undefined && !fact.partitioned && fact.validated) {
    const [add, ...others] = object.statements;
    const text = `ALTER TABLE ${quoteName(fact.of)} VALIDATE CONSTRAINT ${quoteIdent(fact.ownName)}`;
    return [
      { ...object, statements: [`${add!} NOT VALID`, ...others] },
      { ...object, id: `VALIDATE ${object.id}`, stage: "validate", statements: [text] },
    ];
  }
  return [object];
}

/** Since 15 not everybody may create in schema public; a dump tells only what differs from how a database of that version begins. */
function publicSchema({ sourceVersion, targetVersion }: Context): SchemaObject[] {
  if (sourceVersion < 150000 || targetVersion >= 150000) return [];
  const nothing = { kind: "ACL", schema: null, of: null, owner: null, tablespace: null, accessMethod: null, classId: 0, oid: 0, pages: 0 };
  const id = "ACL SCHEMA public as of 15";
  return [{ ...nothing, id, name: "SCHEMA public", stage: "grant", statements: ["REVOKE CREATE ON SCHEMA public FROM PUBLIC"] }];
}
