import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A sequence; numbers are texts, because bigint does not fit a JS number. */
export type SequenceShape = QualifiedName & {
  readonly oid: number;
  readonly dataType: "smallint" | "integer" | "bigint";
  readonly start: string;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cache: string;
  readonly cycle: boolean;
  readonly persistence: "p" | "u" | "t";
  /** Column that owns it (serial and identity), `schema.table.column`. */
  readonly ownedBy: string | null;
  readonly owner: string;
  readonly privileges: { readonly user: string } & Readonly<Record<"schemaUsage" | "select" | "update" | "owner", boolean>>;
};

type Row = Omit<SequenceShape, "dataType" | "ownedBy"> & { data_type: SequenceShape["dataType"]; owned_by: string | null };

/** All sequences named, by `displayName`; those that do not exist are absent. One query, no locks. */
export async function readSequences(session: Session, names: readonly QualifiedName[]): Promise<Map<string, SequenceShape>> {
  if (names.length === 0) return new Map();
  const rows = await session.query<Row>(
    sql(
      "catalog.sequence",
      `select c.oid, n.nspname::text as schema, c.relname::text as name, format_type(s.seqtypid, null) as data_type,
         s.seqstart::text as start, s.seqincrement::text as increment, s.seqmin::text as min, s.seqmax::text as max,
         s.seqcache::text as cache, s.seqcycle as cycle, c.relpersistence::text as persistence,
         pg_get_userbyid(c.relowner)::text as owner,
         (select tn.nspname || '.' || t.relname || '.' || a.attname
          from pg_catalog.pg_depend d
          join pg_catalog.pg_class t on t.oid = d.refobjid
          join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
          join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
          where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
            and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')) as owned_by,
         json_build_object('user', current_user, 'schemaUsage', has_schema_privilege(n.oid, 'usage'),
           'select', has_sequence_privilege(c.oid, 'select'), 'update', has_sequence_privilege(c.oid, 'update'),
           'owner', pg_has_role(c.relowner, 'usage')) as privileges
       from unnest($1::text[], $2::text[]) as wanted(schema_name, sequence_name)
       join pg_catalog.pg_namespace n on n.nspname::text = wanted.schema_name
       join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname::text = wanted.sequence_name and c.relkind = 'S'
       join pg_catalog.pg_sequence s on s.seqrelid = c.oid`,
      [names.map((name) => name.schema), names.map((name) => name.name)],
    ),
  );
  return new Map(rows.map(({ data_type, owned_by, ...row }) => [displayName(row), { ...row, dataType: data_type, ownedBy: owned_by }]));
}
