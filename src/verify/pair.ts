import { chooseKey, refusal } from "../catalog/key.ts";
import type { TableShape } from "../catalog/table.ts";
import type { Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";

/** One table of both sides with the key that names its rows. */
export type TablePair = { readonly source: TableShape; readonly target: TableShape; readonly key: readonly string[] };

type Side = { readonly db: string; readonly tables: ReadonlyMap<string, TableShape> };

/** The tables that can be compared, and why the others cannot. */
export function pairTables(
  relations: readonly { readonly name: QualifiedName; readonly key: readonly string[] | null }[],
  source: Side,
  target: Side,
): { tables: TablePair[]; problems: Problem[] } {
  const tables: TablePair[] = [];
  const problems: Problem[] = [];
  for (const { name, key: wanted } of relations) {
    const table = displayName(name);
    const [here, there] = [source.tables.get(table), target.tables.get(table)];
    for (const { db } of [source, target].filter((side) => !side.tables.has(table))) {
      problems.push({ grade: "error", db, table, what: `does not exist on ${db}`, remedy: "Create it, or take it out of the sync." });
    }
    if (here === undefined || there === undefined) continue;
    const key = chooseKey(here, wanted);
    if (key === null)
      problems.push({
        grade: "error",
        db: source.db,
        table,
        what: refusal(here, wanted)!,
        remedy: "Rows without a key cannot be told apart: add one.",
      });
    else {
      const missing = key.columns.filter((column) => !there.columns.some((candidate) => candidate.name === column));
      if (missing.length === 0) tables.push({ source: here, target: there, key: key.columns });
      else
        problems.push({
          grade: "error",
          db: target.db,
          table,
          what: `lacks columns of the key on ${target.db}: ${missing.join(", ")}`,
          remedy: "Add them.",
        });
    }
  }
  return { tables, problems };
}
