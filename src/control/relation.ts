import type { QualifiedName } from "../model/name.ts";
import type { Relation, RelationKind } from "../model/sync.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A relation as it is registered; legacy: settings of older versions without meaning here. */
export type RelationRow = Relation & {
  /** Its syncs know it and do not replicate it. */
  readonly ghost: boolean;
  readonly legacy: Readonly<Record<string, string>>;
};

export type NewRelation = QualifiedName & {
  readonly db: string;
  readonly kind: RelationKind;
  readonly keyColumns?: readonly string[] | null;
  readonly autokick?: boolean | null;
  readonly strictChecking?: boolean | null;
  readonly conflictStrategy?: string | null;
  readonly copying?: Relation["copying"];
  readonly ghost?: boolean;
  readonly legacy?: Readonly<Record<string, string>>;
};

export const RELATION_COLUMNS = `r.id, r.db, r.schema_name as schema, r.relation_name as name, r.kind, r.key_columns as "keyColumns",
  r.autokick, r.strict_checking as "strictChecking", r.conflict_strategy as "conflictStrategy", r.copying, r.ghost, r.legacy`;

/** Every registered relation in the order of registration. */
export async function readRelations(session: Session): Promise<RelationRow[]> {
  return await session.query<RelationRow>(
    sql("control.relation-read-all", `select ${RELATION_COLUMNS} from bucardo.relation r order by r.id`),
  );
}

/** Their ids, in the order given. */
export async function insertRelations(session: Session, relations: readonly NewRelation[]): Promise<number[]> {
  const rows = await session.query<{ id: number }>(
    sql(
      "control.relation-insert",
      `insert into bucardo.relation (db, schema_name, relation_name, kind, key_columns, autokick, strict_checking, conflict_strategy, copying, ghost, legacy)
       select r.db, r.schema, r.name, r.kind, r."keyColumns", r.autokick, r."strictChecking", r."conflictStrategy", coalesce(r.copying, '{}'),
              coalesce(r.ghost, false), coalesce(r.legacy, '{}')
         from rows from (json_to_recordset($1::json) as (db text, schema text, name text, kind text, "keyColumns" text[], autokick boolean,
                                                         "strictChecking" boolean, "conflictStrategy" text, copying jsonb, ghost boolean,
                                                         legacy jsonb)) with ordinality r
        order by r.ordinality returning id`,
      [JSON.stringify(relations)],
    ),
  );
  return rows.map(({ id }) => id);
}

/** Replaces the settings of a relation; its name and database stay. */
export async function updateRelation(session: Session, relation: RelationRow): Promise<void> {
  await session.execute(
    sql(
      "control.relation-update",
      `update bucardo.relation
          set key_columns = $2, autokick = $3, strict_checking = $4, legacy = $5, conflict_strategy = $6, copying = $7, ghost = $8 where id = $1`,
      [
        relation.id,
        relation.keyColumns,
        relation.autokick,
        relation.strictChecking,
        JSON.stringify(relation.legacy),
        relation.conflictStrategy,
        JSON.stringify(relation.copying ?? {}),
        relation.ghost,
      ],
    ),
  );
}

export async function deleteRelation(session: Session, id: number): Promise<void> {
  await session.execute(sql("control.relation-delete", "delete from bucardo.relation where id = $1", [id]));
}
