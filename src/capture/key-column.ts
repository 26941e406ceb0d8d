import { chunks } from "../base/chunks.ts";
import { groupBy } from "../base/group-by.ts";
import { BucardoError } from "../model/error.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, type Statement } from "../postgres/sql.ts";

/** What must be known of a key column to record it, join it and compare it. */
export type KeyColumn = {
  readonly name: string;
  /** Type of the delta column, schema-qualified and quoted, domains resolved, without length: `pg_catalog."int8"`. */
  readonly type: string;
  /** ` collate "s"."c"` of the column where its type is collatable, else empty. */
  readonly collate: string;
  /** The equality of the type's default btree family, as SQL: `operator(pg_catalog.=)`. Sessions run with search_path = pg_catalog, where `=` of an extension's type is not found. */
  readonly equals: string;
  /** Empty, or the cast from a domain to `type`: operators of enums and ranges do not know domains. Indexes serve all the same. */
  readonly cast: string;
  /** Equal keys have equal bytes: false for citext, numeric, float, nondeterministic collations (hazard 29). */
  readonly equalMeansSame: boolean;
};

/** Built-in types whose equality is that of their text form. */
const PLAIN_TYPES = new Set([
  "int2",
  "int4",
  "int8",
  "oid",
  "uuid",
  "bool",
  "date",
  "time",
  "timestamp",
  "timestamptz",
  "bytea",
  "text",
  "varchar",
  "name",
  "macaddr",
]);

type Row = {
  name: string;
  type_schema: string;
  type_name: string;
  kind: string;
  collation_schema: string | null;
  collation_name: string | null;
  deterministic: boolean;
  op_schema: string | null;
  op_name: string | null;
  is_domain: boolean;
};

/** Facts about the columns of a key in the key's order. Works on 10 to 18. */
export async function readKeyColumns(session: Session, relation: number, columns: readonly string[]): Promise<KeyColumn[]> {
  return keyColumnsOf(session, columns, await session.query(keyColumnsStatement(session, relation, columns)));
}

/** Keys of so many tables are asked for at once. */
const TABLES_AT_ONCE = 1000;

/** The same for many tables, in their order: as many round trips for thousands of them as for one. Errors: schema-mismatch. */
export async function readKeysOf(
  session: Session,
  tables: readonly { readonly oid: number; readonly columns: readonly string[] }[],
): Promise<KeyColumn[][]> {
  const keys: KeyColumn[][] = [];
  for (const some of chunks(tables, TABLES_AT_ONCE)) {
    const flat = some.flatMap(({ oid, columns }, index) =>
      columns.map((name, place) => ({ oid, name, ordinal: index * MOST_COLUMNS + place })),
    );
    const rows = await session.query<Row & { ordinal: number }>(
      keyStatement(session, "capture.keys-of", "unnest($1::oid[], $2::text[], $3::int8[]) k (relation, name, ordinal)", [
        flat.map(({ oid }) => oid),
        flat.map(({ name }) => name),
        flat.map(({ ordinal }) => ordinal),
      ]),
    );
    const byTable = groupBy(rows, ({ ordinal }) => Math.floor(ordinal / MOST_COLUMNS));
    for (const [index, { columns }] of some.entries()) keys.push(keyColumnsOf(session, columns, byTable.get(index) ?? []));
  }
  return keys;
}

/** More than an index has. */
const MOST_COLUMNS = 1000;

/** To be asked together with other things. */
export function keyColumnsStatement(session: Session, relation: number, columns: readonly string[]): Statement {
  const from = "(select $1::oid as relation, c.name, c.ordinal from unnest($2::text[]) with ordinality c (name, ordinal)) k";
  return keyStatement(session, "capture.key-columns", from, [relation, columns]);
}

/** `from`: rows k (relation, name, ordinal). */
function keyStatement(session: Session, name: string, from: string, values: readonly unknown[]): Statement {
  const deterministic = session.serverVersion >= 120000 ? "l.collisdeterministic" : "true";
  return prepared(
    name,
    `with recursive base (attname, ordinal, oid, attcollation, is_domain) as (
         select a.attname, k.ordinal, a.atttypid, a.attcollation, false
           from ${from}
           join pg_attribute a on a.attrelid = k.relation and a.attname = k.name and a.attnum > 0 and not a.attisdropped
         union all
         select b.attname, b.ordinal, t.typbasetype, b.attcollation, true from base b join pg_type t on t.oid = b.oid where t.typtype = 'd'
       )
       select b.ordinal, b.attname as name, tn.nspname as type_schema, t.typname as type_name, t.typtype as kind,
              ln.nspname as collation_schema, l.collname as collation_name, coalesce(${deterministic}, true) as deterministic,
              f.op_schema, f.op_name, b.is_domain
         from base b
         join pg_type t on t.oid = b.oid and t.typtype <> 'd'
         join pg_namespace tn on tn.oid = t.typnamespace
         left join pg_collation l on l.oid = b.attcollation and l.collname <> 'default'
         left join pg_namespace ln on ln.oid = l.collnamespace
         left join lateral (
           select n.nspname as op_schema, o.oprname as op_name
             from pg_opclass oc
             join pg_am am on am.oid = oc.opcmethod and am.amname = 'btree'
             join pg_amop ao on ao.amopfamily = oc.opcfamily and ao.amopstrategy = 3
                            and ao.amoplefttype = oc.opcintype and ao.amoprighttype = oc.opcintype
             join pg_operator o on o.oid = ao.amopopr
             join pg_namespace n on n.oid = o.oprnamespace
            where oc.opcdefault and oc.opcintype = t.oid
         ) f on true
        order by b.ordinal`,
    values,
  );
}

/** What the statement has answered. Errors: schema-mismatch. */
export function keyColumnsOf(session: Session, columns: readonly string[], answered: readonly object[]): KeyColumn[] {
  const rows = answered as readonly Row[];
  if (rows.length !== columns.length) {
    const missing = columns.filter((column) => !rows.some((row) => row.name === column));
    throw new BucardoError("schema-mismatch", `key column ${missing.join(", ")} does not exist any more`, { db: session.name });
  }
  const typeOf = (row: Row) => `${quoteIdent(row.type_schema)}.${quoteIdent(row.type_name)}`;
  return rows.map((row) => ({
    name: row.name,
    type: typeOf(row),
    cast: row.is_domain ? `::${typeOf(row)}` : "",
    collate:
      row.collation_name === null ? "" : ` collate ${quoteIdent(row.collation_schema ?? "pg_catalog")}.${quoteIdent(row.collation_name)}`,
    equals: row.op_name === null ? "operator(pg_catalog.=)" : `operator(${quoteIdent(row.op_schema ?? "pg_catalog")}.${row.op_name})`,
    equalMeansSame: row.deterministic && (row.kind === "e" || (row.type_schema === "pg_catalog" && PLAIN_TYPES.has(row.type_name))),
  }));
}
