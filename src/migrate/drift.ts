import { displayName, firstOf, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { selectRelations, type MovedTable, type Selection } from "./selection.ts";
import type { Migration } from "./state.ts";

/** What became of the tables and sequences of a move since they were chosen. */
export type Drift = {
  /** As they would be chosen now. */
  readonly selection: Selection;
  readonly added: readonly QualifiedName[];
  readonly gone: readonly QualifiedName[];
  /** Dropped and made again, under the same name. */
  readonly remade: readonly QualifiedName[];
  /** The same table, with another key, or with one at last, or with none any more. */
  readonly rekeyed: readonly QualifiedName[];
};

/** Null: nothing changed, or nothing was chosen yet. Columns are not looked at: runs and the gate `schema` do that. */
export async function readDrift(old: Session, { relations, options }: Pick<Migration, "relations" | "options">): Promise<Drift | null> {
  if (relations === null) return null;
  const drift = compareSelections(relations, await selectRelations(old, options));
  return drift.added.length + drift.gone.length + drift.remade.length + drift.rekeyed.length === 0 ? null : drift;
}

/** Pure. */
export function compareSelections(before: Selection, now: Selection): Drift {
  const known = new Map([...before.tables, ...before.leftOut].map((each) => [displayName(each), each]));
  const sequences = new Set([...before.sequences, ...before.leftOut].map(displayName));
  const old = new Map(before.tables.map((table) => [displayName(table), table]));
  const tables = now.tables.map((table) => ({ table, was: old.get(displayName(table)) }));
  const left = new Set([...now.tables, ...now.sequences, ...now.leftOut].map(displayName));
  const both = tables.flatMap(({ table, was }) => (was === undefined ? [] : [{ table, was }]));
  return {
    // One without key that has grown or shrunk meanwhile crosses as it did.
    selection: {
      ...now,
      tables: tables.map(({ table, was }) => (was !== undefined && same(table, was) ? { ...table, handling: was.handling } : table)),
    },
    added: [
      ...now.tables.filter((table) => !known.has(displayName(table))),
      ...now.sequences.filter((sequence) => !sequences.has(displayName(sequence))),
    ].map(nameOf),
    gone: [...before.tables, ...before.sequences].filter((each) => !left.has(displayName(each))).map(nameOf),
    remade: both.filter(({ table, was }) => table.oid !== was.oid).map(({ table }) => nameOf(table)),
    rekeyed: both.filter(({ table, was }) => table.oid === was.oid && !sameKey(table, was)).map(({ table }) => nameOf(table)),
  };
}

function same(table: MovedTable, was: MovedTable): boolean {
  return table.oid === was.oid && sameKey(table, was);
}

function sameKey(one: MovedTable, other: MovedTable): boolean {
  return (one.handling === "follow") === (other.handling === "follow") && JSON.stringify(one.key) === JSON.stringify(other.key);
}

function nameOf({ schema, name }: QualifiedName): QualifiedName {
  return { schema, name };
}

/** `dropped: a.b; made anew: a.c`, for people. */
export function describeDrift(drift: Drift): string {
  const parts: readonly (readonly [string, readonly QualifiedName[]])[] = [
    ["new", drift.added],
    ["dropped", drift.gone],
    ["dropped and made again", drift.remade],
    ["with another key", drift.rekeyed],
  ];
  return parts.flatMap(([word, names]) => (names.length === 0 ? [] : [`${word}: ${firstOf(names.map(displayName), 3)}`])).join("; ");
}
