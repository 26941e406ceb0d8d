import type { Column } from "./column.ts";

/**
 * A unique index over whole columns: not partial, no expressions, and its collations are those of the columns (else the
 * index and `=` disagree on what is equal).
 */
export type Key = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primary: boolean;
  /** A deferrable constraint cannot be the arbiter of INSERT .. ON CONFLICT. */
  readonly deferrable: boolean;
  readonly valid: boolean;
  /** UNIQUE NULLS NOT DISTINCT. Unimportant over columns that are NOT NULL. */
  readonly nullsNotDistinct: boolean;
  /** False when the root of a partitioned table has no such index itself, only each of its leaves. */
  readonly onRoot: boolean;
};

/** What the choice of a key looks at. */
export type Keyed = { readonly columns: readonly Column[]; readonly keys: readonly Key[] };

/** True when `insert .. on conflict (columns)` finds this key. */
export function canUpsert(key: Key): boolean {
  return key.valid && !key.deferrable && key.onRoot;
}

/**
 * The key that names a row: by hand (`wanted`, in the order of the index), else the PRIMARY KEY, else of the unique keys
 * over NOT NULL columns that are valid and immediate the one with the fewest columns, then the narrowest, then by name.
 * Null when there is none; `refusal` says why a wanted one is not taken.
 */
export function chooseKey(table: Keyed, wanted: readonly string[] | null): Key | null {
  if (wanted !== null)
    return (
      usableKeys(table)
        .filter((key) => sameColumns(key.columns, wanted))
        .toSorted(better(table))[0] ?? null
    );
  return (
    table.keys.find((key) => key.primary && key.valid) ??
    usableKeys(table)
      .filter((key) => !key.deferrable)
      .toSorted(better(table))[0] ??
    null
  );
}

/** Why the table has no key, or not the wanted one: one sentence for a report; null when `chooseKey` finds one. */
export function refusal(table: Keyed, wanted: readonly string[] | null): string | null {
  if (chooseKey(table, wanted) !== null) return null;
  if (wanted === null) return noKeyReason(table);
  const unknown = wanted.filter((name) => !table.columns.some((column) => column.name === name));
  if (unknown.length > 0) return `the key names columns that do not exist: ${unknown.join(", ")}`;
  const matching = table.keys.filter((key) => sameColumns(key.columns, wanted));
  if (matching.length === 0) return `no unique index over exactly (${wanted.join(", ")})`;
  if (!matching.some((key) => key.valid)) return `the unique index ${matching[0]!.name} is not valid`;
  return `the key may hold NULL: ${nullableColumns(table, wanted).join(", ")}`;
}

function noKeyReason(table: Keyed): string {
  if (table.keys.length === 0) return "no PRIMARY KEY and no unique index over whole columns";
  const nullable = table.keys.find((key) => key.valid && nullableColumns(table, key.columns).length > 0);
  if (nullable)
    return `no PRIMARY KEY, and the unique index ${nullable.name} may hold NULL: ${nullableColumns(table, nullable.columns).join(", ")}`;
  return `no PRIMARY KEY, and the unique index ${table.keys[0]!.name} is ${table.keys[0]!.valid ? "deferrable" : "not valid"}`;
}

function usableKeys(table: Keyed): Key[] {
  return table.keys.filter((key) => key.valid && nullableColumns(table, key.columns).length === 0);
}

function nullableColumns(table: Keyed, names: readonly string[]): string[] {
  return names.filter((name) => !table.columns.find((column) => column.name === name)?.notNull);
}

function sameColumns(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && new Set([...one, ...other]).size === one.length;
}

/** Of values without fixed length nobody knows the width; they count as wider than every fixed one. */
const VARIABLE_WIDTH = 256;

function better(table: Keyed): (one: Key, other: Key) => number {
  const width = (key: Key): number =>
    key.columns
      .map((name) => table.columns.find((column) => column.name === name)!.length)
      .reduce((sum, length) => sum + (length > 0 ? length : VARIABLE_WIDTH), 0);
  return (one, other) =>
    Number(one.deferrable) - Number(other.deferrable) ||
    Number(other.onRoot) - Number(one.onRoot) ||
    Number(other.primary) - Number(one.primary) ||
    one.columns.length - other.columns.length ||
    width(one) - width(other) ||
    (one.name < other.name ? -1 : 1);
}
