import type { KeyRow } from "./constraint.sql.ts";
import type { Key } from "./key.ts";
import type { TreeRow } from "./tree.sql.ts";

/** `notNull`: columns that hold no NULL because they belong to the PRIMARY KEY of every leaf. */
export type Keys = { readonly keys: readonly Key[]; readonly notNull: readonly string[] };

/**
 * Keys of a table, the first of `rows` its root. PostgreSQL 10 knows no indexes on partitioned tables: there, a unique index
 * that every leaf has by itself is a key of the whole when it covers the columns that choose the leaf, at every level.
 */
export function keysOf(rows: readonly TreeRow[], indexes: ReadonlyMap<number, readonly KeyRow[]>): Keys {
  const root = rows[0]!;
  const own = (indexes.get(root.oid) ?? []).map((row) => toKey(row, true));
  const leaves = rows.filter((row) => row.kind !== "p" && row.parent !== null);
  const partitionKeys = rows.map((row) => row.partition_key).filter((key) => key !== null);
  // An expression in a partition key is an empty list: nothing then says that equal keys meet in one leaf.
  if (leaves.length === 0 || partitionKeys.some((key) => key.length === 0)) return { keys: own, notNull: [] };
  const [first, ...others] = leaves.map((leaf) => (indexes.get(leaf.oid) ?? []).filter((row) => row.valid && !row.deferrable));
  const shared = first!.filter(
    (key) =>
      others.every((leaf) => leaf.some((other) => same(other.columns, key.columns))) &&
      partitionKeys.flat().every((column) => key.columns.includes(column)) &&
      !own.some((known) => same(known.columns, key.columns)),
  );
  const primary = leaves.map((leaf) => indexes.get(leaf.oid)?.find((row) => row.primary)?.columns ?? []);
  return {
    keys: [...own, ...shared.map((row) => toKey(row, false))],
    notNull: primary[0]!.filter((column) => primary.every((columns) => columns.includes(column))),
  };
}

function toKey(row: KeyRow, onRoot: boolean): Key {
  return {
    name: row.name,
    columns: row.columns,
    primary: row.primary && onRoot,
    deferrable: row.deferrable,
    valid: row.valid,
    nullsNotDistinct: row.nulls_not_distinct,
    onRoot,
  };
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((column) => other.includes(column));
}
