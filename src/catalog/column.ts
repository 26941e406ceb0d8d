import type { ColumnRow } from "./column.sql.ts";

/** One column of a table as the catalog has it. Names of types and collations are qualified unless they are in pg_catalog. */
export type Column = {
  readonly name: string;
  /** pg_attribute.attnum: stays when columns before it are dropped. */
  readonly number: number;
  /** As format_type prints it: `numeric(10,2)`, `public.mood`, `text[]`. */
  readonly type: string;
  readonly typeOid: number;
  /** pg_type.typtype of the type itself: b base, c composite, d domain, e enum, p pseudo, r range, m multirange. */
  readonly typeKind: "b" | "c" | "d" | "e" | "p" | "r" | "m";
  /** The type with domains resolved, with its length or precision; equal to `type` for everything that is no domain. */
  readonly baseType: string;
  readonly baseTypeOid: number;
  /** Element of an array type, else 0. */
  readonly elementTypeOid: number;
  /** typtype of what stands behind domain and array: `e` for an array of an enum. */
  readonly shapeKind: string;
  /** The base type without the schema where an extension brought it, as extensions live in other schemas elsewhere: `citext:citext`. */
  readonly portableType: string;
  /** Of citext: the language of the database, which says what is upper and lower case; else null. */
  readonly caseLanguage: string | null;
  /** Labels in order when `shapeKind` is `e`. */
  readonly enumLabels: readonly string[] | null;
  /** `name type, name type` when `shapeKind` is `c`. */
  readonly fields: string | null;
  /** pg_type.typlen: bytes of a fixed length type, else negative. */
  readonly length: number;
  /** Qualified and quoted; null for types without collation. */
  readonly collation: string | null;
  readonly collationDeterministic: boolean;
  /** False for a NOT NULL constraint that was added NOT VALID (PostgreSQL 18). */
  readonly notNull: boolean;
  /** The DEFAULT, or the expression of a generated column. */
  readonly defaultExpression: string | null;
  /** a: GENERATED ALWAYS AS IDENTITY, d: BY DEFAULT. */
  readonly identity: "" | "a" | "d";
  /** s: stored, v: virtual. */
  readonly generated: "" | "s" | "v";
};

export function toColumn(row: ColumnRow, provenNotNull: boolean): Column {
  return {
    name: row.name,
    number: row.number,
    type: row.type,
    typeOid: row.type_oid,
    typeKind: row.type_kind as Column["typeKind"],
    baseType: row.base_type,
    baseTypeOid: row.base_type_oid,
    elementTypeOid: row.element_type_oid,
    shapeKind: row.shape_kind,
    portableType: row.extension === null ? row.base_type : `${row.extension}:${withoutSchema(row.base_type, row.shape_schema)}`,
    caseLanguage: row.extension === "citext" ? plainLanguage(row.language) : null,
    enumLabels: row.enum_labels,
    fields: row.fields,
    length: row.length,
    collation: row.collation,
    collationDeterministic: row.collation_deterministic,
    notNull: row.not_null || provenNotNull,
    defaultExpression: row.default_expression,
    identity: row.identity as Column["identity"],
    generated: row.generated as Column["generated"],
  };
}

/** `C.UTF-8`, `C.utf8`: systems differ in how they write the encoding. */
function plainLanguage(language: string): string {
  return language.replace(/\.utf-?8$/i, ".UTF-8");
}

function withoutSchema(type: string, schema: string): string {
  for (const prefix of [`${schema}.`, `"${schema.replaceAll('"', '""')}".`]) {
    if (type.startsWith(prefix)) return type.slice(prefix.length);
  }
  return type;
}
