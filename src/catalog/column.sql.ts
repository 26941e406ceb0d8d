import { sql, type Statement } from "../postgres/sql.ts";

export type ColumnRow = {
  table_oid: number;
  number: number;
  name: string;
  type: string;
  type_oid: number;
  type_kind: string;
  base_type: string;
  base_type_oid: number;
  element_type_oid: number;
  shape_kind: string;
  shape_schema: string;
  extension: string | null;
  language: string;
  enum_labels: string[] | null;
  fields: string | null;
  length: number;
  collation: string | null;
  collation_deterministic: boolean;
  not_null: boolean;
  default_expression: string | null;
  identity: string;
  generated: string;
};

/**
 * Columns of tables. format_type leaves the schema out where the search_path finds the type; the prefix puts it back, so
 * that the answer is the same under every search_path.
 */
export function columnStatement(serverVersion: number, oids: readonly number[]): Statement {
  const deterministic = serverVersion >= 120000 ? "coalesce(co.collisdeterministic, true)" : "true";
  const generated = serverVersion >= 120000 ? "a.attgenerated::text" : "''";
  const language =
    serverVersion >= 170000
      ? "case when datlocprovider = 'c' then datctype else concat_ws(' ', datlocprovider, datlocale) end"
      : serverVersion >= 150000
        ? "case when datlocprovider = 'i' then concat_ws(' ', 'i', daticulocale) else datctype end"
        : "datctype";
  const proven =
    serverVersion >= 180000
      ? `and not exists (select 1 from pg_catalog.pg_constraint nn
           where nn.conrelid = a.attrelid and nn.contype = 'n' and nn.conkey = array[a.attnum] and not nn.convalidated)`
      : "";
  const qualified = (type: string, typmod: string, shape: string, schema: string): string =>
    `case when ${schema} <> 'pg_catalog' and pg_type_is_visible(${shape}) then quote_ident(${schema}) || '.' else '' end || format_type(${type}, ${typmod})`;
  return sql(
    "catalog.column",
    `with recursive domain as (
       select t.oid, t.typbasetype as base, t.typtypmod as typmod from pg_catalog.pg_type t where t.typtype = 'd'
       union all
       select d.oid, t.typbasetype, t.typtypmod from domain d join pg_catalog.pg_type t on t.oid = d.base and t.typtype = 'd'
     ),
     ground as (
       select d.oid, d.base, d.typmod from domain d join pg_catalog.pg_type t on t.oid = d.base and t.typtype <> 'd'
     ),
     used as (
       select a.attrelid, a.attnum, a.attname, a.attnotnull, a.attidentity, ${generated} as generated, a.attcollation, a.atthasdef,
         t.oid as type_oid, t.typtype, t.typname, tn.nspname as type_schema, a.atttypmod as typmod,
         coalesce(g.base, t.oid) as base_oid, coalesce(g.typmod, a.atttypmod) as base_typmod,
         a.attnotnull ${proven} as proven_not_null
       from pg_catalog.pg_attribute a
       join pg_catalog.pg_type t on t.oid = a.atttypid
       join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
       left join ground g on g.oid = t.oid
       where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
     )
     select u.attrelid as table_oid, u.attnum as number, u.attname::text as name,
       ${qualified("u.type_oid", "u.typmod", "u.type_oid", "u.type_schema::text")} as type,
       u.type_oid, u.typtype::text as type_kind,
       ${qualified("u.base_oid", "u.base_typmod", "s.oid", "sn.nspname::text")} as base_type,
       u.base_oid as base_type_oid,
       case when s.oid = b.oid then 0 else s.oid end as element_type_oid,
       s.typtype::text as shape_kind, sn.nspname::text as shape_schema,
       (select e.extname::text from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
        where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = s.oid and d.deptype = 'e'
          and d.refclassid = 'pg_catalog.pg_extension'::regclass) as extension,
       (select (${language})::text from pg_catalog.pg_database where datname = current_database()) as language,
       case when s.typtype = 'e' then
         (select json_agg(l.enumlabel order by l.enumsortorder) from pg_catalog.pg_enum l where l.enumtypid = s.oid) end as enum_labels,
       case when s.typtype = 'c' then
         (select string_agg(quote_ident(f.attname) || ' ' || format_type(f.atttypid, f.atttypmod), ', ' order by f.attnum)
          from pg_catalog.pg_attribute f where f.attrelid = s.typrelid and f.attnum > 0 and not f.attisdropped) end as fields,
       b.typlen as length,
       case when co.oid is not null then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) end as collation,
       ${deterministic} as collation_deterministic,
       u.proven_not_null as not_null,
       (select pg_get_expr(ad.adbin, ad.adrelid) from pg_catalog.pg_attrdef ad
        where ad.adrelid = u.attrelid and ad.adnum = u.attnum and u.atthasdef) as default_expression,
       u.attidentity::text as identity, u.generated
     from used u
     join pg_catalog.pg_type b on b.oid = u.base_oid
     join pg_catalog.pg_type s on s.oid = case when b.typelem <> 0 and b.typlen = -1 and b.typcategory = 'A' then b.typelem else b.oid end
     join pg_catalog.pg_namespace sn on sn.oid = s.typnamespace
     left join pg_catalog.pg_collation co on co.oid = u.attcollation
     left join pg_catalog.pg_namespace cn on cn.oid = co.collnamespace
     order by u.attrelid, u.attnum`,
    [oids],
  );
}
