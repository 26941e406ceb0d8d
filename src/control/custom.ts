import type { QualifiedName } from "../model/name.ts";
import type { Custom } from "../model/sync.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

export type NewCustom = Omit<Custom, "id">;

/** All of them, in the order of their numbers. */
export async function readCustoms(session: Session): Promise<Custom[]> {
  const rows = await session.query<Omit<Custom, "to"> & { schema: string | null; name: string | null }>(
    sql(
      "control.custom-read-all",
      "select c.id, c.relation, c.kind, c.schema_name as schema, c.table_name as name, c.clause, c.db, c.sync from bucardo.custom c order by c.id",
    ),
  );
  return rows.map(({ schema, name, ...custom }) => ({ ...custom, to: qualified(schema, name) }));
}

function qualified(schema: string | null, name: string | null): QualifiedName | null {
  return schema === null || name === null ? null : { schema, name };
}

/** Adds it, or replaces the one for the same table, sync and database. */
export async function putCustom(session: Session, { relation, kind, to, clause, db, sync }: NewCustom): Promise<number> {
  const { id } = await session.one<{ id: number }>(
    sql(
      "control.custom-put",
      `insert into bucardo.custom (relation, kind, schema_name, table_name, clause, db, sync) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (relation, kind, coalesce(db, ''), coalesce(sync::text, ''))
         do update set schema_name = excluded.schema_name, table_name = excluded.table_name, clause = excluded.clause
       returning id`,
      [relation, kind, to?.schema ?? null, to?.name ?? null, clause, db, sync],
    ),
  );
  return id;
}

export async function deleteCustom(session: Session, id: number): Promise<void> {
  await session.execute(sql("control.custom-delete", "delete from bucardo.custom where id = $1", [id]));
}
