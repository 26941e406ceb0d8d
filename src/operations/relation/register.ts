import { insertRelation, readRelations, type NewRelation, type RelationRow } from "../../control/relation.ts";
import { displayName } from "../../model/name.ts";
import type { Session } from "../../postgres/session.ts";

/** Registers relations that are not known yet; `all` has the rows of every one asked for, known or new. */
export async function register(
  control: Session,
  wanted: readonly NewRelation[],
): Promise<{ readonly added: RelationRow[]; readonly all: RelationRow[] }> {
  const same =
    (row: NewRelation | RelationRow) =>
    (other: NewRelation | RelationRow): boolean =>
      row.db === other.db && displayName(row) === displayName(other);
  const before = await readRelations(control);
  const missing = wanted.filter((relation) => !before.some(same(relation)));
  for (const relation of missing) await insertRelation(control, relation);
  const after = missing.length === 0 ? before : await readRelations(control);
  const rowsOf = (list: readonly NewRelation[]): RelationRow[] => list.flatMap((relation) => after.filter(same(relation)));
  return { added: rowsOf(missing), all: rowsOf(wanted) };
}
