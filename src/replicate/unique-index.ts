import type { QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A unique index, or that of an exclusion constraint: which rows it holds against each other. */
export type UniqueIndex = {
  readonly name: string;
  readonly table: QualifiedName;
  /** By what two rows are in each other's way; expressions over the columns of the table, by their bare names. */
  readonly parts: readonly { readonly expression: string; readonly operator: string; readonly collate: string }[];
  /** Null: it counts for all rows. */
  readonly predicate: string | null;
  readonly nullsEqual: boolean;
};

const COLUMNS = `pg_get_expr(i.indpred, i.indrelid) as predicate, coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false) as "nullsEqual",
              (select json_agg(json_build_object(
                        'expression', pg_get_indexdef(i.indexrelid, n, false),
                        'operator', (select format('operator(%I.%s)', s.nspname, o.oprname) from pg_operator o join pg_namespace s on s.oid = o.oprnamespace
                                      where o.oid = coalesce(x.conexclop[n], (
                                        select a.amopopr from pg_opclass c join pg_amop a on a.amopfamily = c.opcfamily
                                         where c.oid = i.indclass[n - 1] and a.amopstrategy = 3 and a.amoplefttype = c.opcintype and a.amoprighttype = c.opcintype))),
                        'collate', coalesce((select format(' collate %I.%I', s.nspname, l.collname) from pg_collation l join pg_namespace s on s.oid = l.collnamespace
                                              where l.oid = i.indcollation[n - 1]), '')) order by n)
                 from generate_series(1, coalesce((to_jsonb(i)->>'indnkeyatts')::integer, i.indnatts)) n) as parts
         from pg_class t
         join pg_namespace ns on ns.oid = t.relnamespace
         join pg_index i on i.indrelid = t.oid
         join pg_class c on c.oid = i.indexrelid
         left join pg_constraint x on x.conindid = i.indexrelid and x.conrelid = t.oid and x.conexclop is not null
        where ns.nspname = $1 and t.relname = $2`;

/** The index behind a constraint, or of that name; null when there is none any more. Works on 10 to 18. */
export async function readUniqueIndex(
  session: Session,
  constraint: { readonly schema: string; readonly table: string; readonly name: string },
): Promise<UniqueIndex | null> {
  const { schema, table, name } = constraint;
  const [found] = await session.query<Omit<UniqueIndex, "table" | "name">>(
    sql("replicate.unique-index", `select ${COLUMNS} and (c.relname = $3 or x.conname = $3)`, [schema, table, name]),
  );
  return found === undefined ? null : { ...found, name, table: { schema, name: table } };
}

/** All of a table that hold rows against each other, the key's among them. */
export async function readUniqueIndexes(session: Session, table: QualifiedName): Promise<UniqueIndex[]> {
  const found = await session.query<Omit<UniqueIndex, "table">>(
    sql(
      "replicate.unique-indexes",
      `select c.relname as name, ${COLUMNS} and (i.indisunique or x.conexclop is not null) and i.indisvalid order by c.relname`,
      [table.schema, table.name],
    ),
  );
  return found.map((index) => ({ ...index, table }));
}
