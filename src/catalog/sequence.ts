import type { Problem } from "../model/error.ts";
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
  readonly privileges: { readonly schemaUsage: boolean; readonly select: boolean; readonly update: boolean; readonly owner: boolean };
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
         json_build_object('schemaUsage', has_schema_privilege(n.oid, 'usage'),
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

export type SequenceComparison = {
  readonly strict: boolean;
  /** Name of the target database, for the report. */
  readonly db: string;
  /** What the missing one may have been meant to be (nearest.ts). */
  readonly hint?: string | null;
};

/** Every reason why values of the source's sequence cannot live in, or go on differently from, the target's. */
export function compareSequences(source: SequenceShape, target: SequenceShape | undefined, options: SequenceComparison): Problem[] {
  const table = displayName(source);
  const place = { db: options.db, table };
  if (target === undefined) {
    const hint = options.hint ? `, but ${options.hint} does` : "";
    return [{ grade: "error", ...place, what: `sequence ${table} does not exist on ${options.db}${hint}`, remedy: "Create it there, or take it out of the sync." }];
  }
  const problems: Problem[] = [];
  if (BigInt(target.max) < BigInt(source.max) || BigInt(target.min) > BigInt(source.min)) {
    problems.push({
      grade: "error",
      ...place,
      what: `the sequence goes from ${source.min} to ${source.max} (${source.dataType}) on the source and from ${target.min} to ${target.max} (${target.dataType}) on ${options.db}`,
      remedy: `alter sequence ... as ${source.dataType} minvalue ${source.min} maxvalue ${source.max} on ${options.db}.`,
    });
  }
  const differing = (["increment", "cycle"] as const).filter((field) => source[field] !== target[field]);
  if (differing.length > 0) {
    problems.push({
      grade: options.strict ? "error" : "warning",
      ...place,
      what: `${differing.map((field) => `${field} is ${source[field]} on the source and ${target[field]} on ${options.db}`).join("; ")}`,
      remedy: "Make both sequences equal; the target would go on with other values after a switch.",
    });
  }
  return problems;
}
