import { chooseKey, refusal } from "../catalog/key.ts";
import type { TableShape } from "../catalog/table.ts";
import { applyTerms, type TermedTable } from "../catalog/terms.ts";
import type { Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Terms } from "../model/terms.ts";
import type { Session } from "../postgres/session.ts";

/** One table of both sides with the key that names its rows. */
export type TablePair = {
  readonly source: TableShape;
  readonly target: TableShape;
  /** In the source's names. */
  readonly key: readonly string[];
  readonly terms?: Terms | undefined;
  /** The source's table as the target is to see it, where that is something else. */
  readonly termed?: TermedTable;
};

/** As the target calls it. */
export function nameThere({ name, terms }: { readonly name: QualifiedName; readonly terms?: Terms | undefined }): QualifiedName {
  return terms?.name ?? name;
}

/** Null with the problems why not. */
export async function onTerms(source: Session, pair: TablePair): Promise<{ pair: TablePair | null; problems: readonly Problem[] }> {
  const { terms } = pair;
  if (terms === undefined || (terms.columns === null && terms.filter === null)) return { pair, problems: [] };
  const { table, problems } = await applyTerms(source, pair.source, pair.key, terms);
  return { pair: problems.length > 0 ? null : { ...pair, termed: table }, problems };
}

type Side = { readonly db: string; readonly tables: ReadonlyMap<string, TableShape> };

/** The tables that can be compared, and why the others cannot. */
export function pairTables(
  relations: readonly { readonly name: QualifiedName; readonly key: readonly string[] | null; readonly terms?: Terms | undefined }[],
  source: Side,
  target: Side,
): { tables: TablePair[]; problems: Problem[] } {
  const tables: TablePair[] = [];
  const problems: Problem[] = [];
  for (const { name, key: wanted, terms } of relations) {
    const table = displayName(name);
    const [here, there] = [source.tables.get(table), target.tables.get(displayName(nameThere({ name, terms })))];
    for (const { db } of [...(here === undefined ? [source] : []), ...(there === undefined ? [target] : [])]) {
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
      const called = terms?.columns?.map((item) => [item.column, item.name] as const) ?? [];
      const names = key.columns.map((column) => called.find(([own]) => own === column)?.[1] ?? column);
      const missing = names.filter((column) => !there.columns.some((candidate) => candidate.name === column));
      if (missing.length === 0) tables.push({ source: here, target: there, key: key.columns, terms });
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
