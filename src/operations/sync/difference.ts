import { displayName, type QualifiedName } from "../../model/name.ts";
import { receiversOf, sourcesOf, targetsOf, type SyncDefinition } from "../../model/sync.ts";
import { relationsOn } from "../../model/terms.ts";

/** How the capture of a sync must change from one definition to the next. */
export type CaptureDifference = {
  readonly sync: SyncDefinition;
  readonly before: SyncDefinition;
  /** Something must be installed on the source, or installed otherwise. */
  readonly grows: boolean;
  /** What is new, so that it can be taken back when the rest fails. */
  readonly newTargets: readonly string[];
  readonly newTables: readonly QualifiedName[];
  /** Sources that are no sources of it any more: everything of the sync goes there. */
  readonly leftSources: readonly string[];
  readonly leftTargets: readonly string[];
  readonly leftTables: readonly QualifiedName[];
};

/** Null when capture stays as it is. */
export function compareCapture(before: SyncDefinition, after: SyncDefinition): CaptureDifference | null {
  const [tablesBefore, tablesAfter] = [tablesOf(before), tablesOf(after)];
  const newTargets = missing(carriedTo(after), carriedTo(before));
  const newTables = without(tablesAfter, tablesBefore);
  const leftTables = without(tablesBefore, tablesAfter);
  const newSources = missing(sourcesOf(after), sourcesOf(before));
  const difference: CaptureDifference = {
    sync: after,
    before,
    grows: newTargets.length + newTables.length + newSources.length > 0 || captureText(before) !== captureText(after),
    newTargets,
    newTables,
    leftSources: missing(sourcesOf(before), sourcesOf(after)),
    leftTargets: missing(carriedTo(before), carriedTo(after)),
    leftTables,
  };
  const shrinks = difference.leftSources.length + difference.leftTargets.length + leftTables.length > 0;
  return difference.grows || shrinks ? difference : null;
}

/** What else of a definition capture depends on. */
function captureText(sync: SyncDefinition): string {
  const relations = relationsOn(sync, sourcesOf(sync)[0] ?? "").map((relation) => [
    displayName(relation),
    relation.keyColumns,
    relation.autokick ?? sync.autokick,
  ]);
  // What is otherwise on a target is checked like what is new.
  const whole = targetsOf(sync).filter((db) => !carriedTo(sync).includes(db));
  return JSON.stringify([
    sync.name,
    sync.customs ?? [],
    whole,
    relations.toSorted((one, other) => String(one).localeCompare(String(other))),
  ]);
}

function carriedTo(sync: SyncDefinition): string[] {
  return receiversOf(sync, sourcesOf(sync)[0] ?? "");
}

function tablesOf(sync: SyncDefinition): QualifiedName[] {
  return relationsOn(sync, sourcesOf(sync)[0] ?? "")
    .filter(({ kind }) => kind === "table")
    .map(({ schema, name }) => ({ schema, name }));
}

function without(tables: readonly QualifiedName[], others: readonly QualifiedName[]): QualifiedName[] {
  const idOf = ({ schema, name }: QualifiedName): string => JSON.stringify([schema, name]);
  const names = new Set(others.map(idOf));
  return tables.filter((table) => !names.has(idOf(table)));
}

function missing(wanted: readonly string[], present: readonly string[]): string[] {
  return wanted.filter((each) => !present.includes(each));
}
