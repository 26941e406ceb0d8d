import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Finding, TableComparison } from "./finding.ts";
import { canUpsert, type Key } from "./key.ts";
import type { TableShape } from "./table.ts";

/** The key on the target, and unique keys that only the target has. */
export function compareKeys(source: TableShape, target: TableShape, { key, db }: TableComparison): Finding[] {
  return [...(key.length === 0 ? [] : keyOnTarget(target, key, db)), ...extraKeys(source, target, db)];
}

function keyOnTarget(target: TableShape, key: readonly string[], db: string): Finding[] {
  if (key.some((name) => !target.columns.some((column) => column.name === name))) return [];
  const matching = target.keys.filter((candidate) => sameSet(candidate.columns, key));
  if (matching.some(canUpsert)) return [];
  const columns = key.map(quoteIdent).join(", ");
  if (matching.length === 0) {
    return [
      {
        grade: "warning",
        what: `no unique index over the key (${key.join(", ")}) on ${db}: rows are replaced by deleting and inserting, and looked up slowly`,
        remedy: `On ${db}: create unique index on ${quoteName(target)} (${columns});`,
      },
    ];
  }
  const why = matching.some((candidate) => candidate.valid) ? "is deferrable" : "is not valid";
  return [
    {
      grade: "warning",
      what: `the unique index ${matching[0]!.name} over the key (${key.join(", ")}) ${why} on ${db}: rows are replaced by deleting and inserting`,
      remedy: `On ${db}: create unique index on ${quoteName(target)} (${columns}); or leave it, if the slower way is fast enough.`,
    },
  ];
}

/** Unique on the target over columns for which nothing on the source says so. */
function extraKeys(source: TableShape, target: TableShape, db: string): Finding[] {
  const known = source.keys.filter((key) => key.valid);
  const implied = (key: Key): boolean => known.some((other) => other.columns.every((column) => key.columns.includes(column)));
  return target.keys
    .filter((key) => !implied(key))
    .map((key) => ({
      grade: "warning",
      what: `(${key.columns.join(", ")}) is unique on ${db} (${key.name}) but not on the source: a second row with equal values stops the sync`,
      remedy: `Make it unique on the source, or on ${db}: drop index ${quoteName({ schema: target.schema, name: key.name })};`,
    }));
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name) => other.includes(name));
}
