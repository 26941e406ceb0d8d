import { insertRelations, readRelations, type NewRelation, type RelationRow } from "../../control/relation.ts";
import type { Session } from "../../postgres/session.ts";

/** Registers relations that are not known yet; `all` has the rows of every one asked for, known or new. */
export async function register(
  control: Session,
  wanted: readonly NewRelation[],
): Promise<{ readonly added: RelationRow[]; readonly all: RelationRow[] }> {
  const before = byName(await readRelations(control));
  const missing = wanted.filter((relation) => !before.has(nameOf(relation)));
  if (missing.length > 0) await insertRelations(control, missing);
  const after = missing.length === 0 ? before : byName(await readRelations(control));
  const rowsOf = (list: readonly NewRelation[]): RelationRow[] => list.flatMap((relation) => after.get(nameOf(relation)) ?? []);
  return { added: rowsOf(missing), all: rowsOf(wanted) };
}

function byName(rows: readonly RelationRow[]): Map<string, RelationRow> {
  return new Map(rows.map((row) => [nameOf(row), row]));
}

function nameOf(relation: NewRelation | RelationRow): string {
  return JSON.stringify([relation.db, relation.schema, relation.name]);
}
