import type { Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
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

const range = {
  smallint: [-(2n ** 15n), 2n ** 15n - 1n],
  integer: [-(2n ** 31n), 2n ** 31n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

/**
 * Every reason why values of the source's sequence cannot live in the target's, or why the target would go on differently. A run
 * brings increment, limits and cycle over by itself where our user owns the sequence, so they matter only where it does not.
 */
export function compareSequences(source: SequenceShape, target: SequenceShape | undefined, options: SequenceComparison): Problem[] {
  const table = displayName(source);
  const problem = (grade: Problem["grade"], what: string, remedy: string): Problem[] => [{ grade, db: options.db, table, what, remedy }];
  if (target === undefined) {
    const hint = options.hint ? `; ${options.hint} does` : "";
    return problem(
      "error",
      `the sequence does not exist on ${options.db}${hint}`,
      `Create it on ${options.db}, or take it out of the sync.`,
    );
  }
  const [lowest, highest] = range[target.dataType];
  if (BigInt(source.max) > highest || BigInt(source.min) < lowest) {
    return problem(
      "error",
      `the sequence goes from ${source.min} to ${source.max} on the source, which its type ${target.dataType} on ${options.db} cannot hold`,
      `On ${options.db}: alter sequence ${quoteName(target)} as ${source.dataType};`,
    );
  }
  if (target.privileges.owner) return [];
  const differing = (["increment", "min", "max", "cycle"] as const).filter((field) => source[field] !== target[field]);
  if (differing.length === 0) return [];
  const show = differing.map((field) => `${field} is ${source[field]} on the source and ${target[field]} on ${options.db}`).join("; ");
  return problem(
    options.strict ? "error" : "warning",
    `${show}, and our user may not alter the sequence`,
    "Make both sequences equal, or let our user own it.",
  );
}
