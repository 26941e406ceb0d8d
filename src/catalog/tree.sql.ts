import type { QualifiedName } from "../model/name.ts";
import { sql, type Statement } from "../postgres/sql.ts";

/** A table that was asked for (`parent` null), or a partition below it. */
export type TreeRow = {
  root: number;
  oid: number;
  parent: number | null;
  level: number;
  schema: string;
  name: string;
  kind: string;
  persistence: "p" | "u" | "t";
  is_partition: boolean;
  filenode: number;
  attribute_xmin: string;
  owner: string;
  row_security: boolean;
  inheritance_parents: number[];
  inheritance_children: number[];
  partition_key: string[] | null;
  privileges: { readonly user: string } & Readonly<
    Record<"schemaUsage" | "select" | "insert" | "update" | "delete" | "truncate" | "trigger" | "owner", boolean>
  >;
};

/**
 * The tables named and every partition below them. Takes no lock on them: pg_class and the functions used read the
 * catalog only. Names are compared as text, so that a name of more than 63 bytes matches nothing.
 */
export function treeStatement(serverVersion: number, names: readonly QualifiedName[]): Statement {
  const attached = serverVersion >= 140000 ? "and not i.inhdetachpending" : "";
  return sql(
    "catalog.tree",
    `with recursive tree as (
       select c.oid as root, c.oid, null::oid as parent, 0 as level
       from unnest($1::text[], $2::text[]) as wanted(schema_name, table_name)
       join pg_catalog.pg_namespace n on n.nspname::text = wanted.schema_name
       join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname::text = wanted.table_name
       where c.relkind in ('r', 'p', 'f', 'v', 'm')
       union all
       select t.root, i.inhrelid, i.inhparent, t.level + 1
       from tree t
       join pg_catalog.pg_inherits i on i.inhparent = t.oid ${attached}
       join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition
     )
     select t.root, t.oid, t.parent, t.level, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
       c.relpersistence::text as persistence, c.relispartition as is_partition, c.relfilenode as filenode,
       (select md5(string_agg(a.attnum || ':' || a.xmin, ',' order by a.attnum)) from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0) as attribute_xmin,
       pg_get_userbyid(c.relowner)::text as owner,
       row_security_active(c.oid) as row_security,
       to_json(array(select i.inhparent::int8 from pg_catalog.pg_inherits i
        where i.inhrelid = c.oid and not c.relispartition order by i.inhseqno)) as inheritance_parents,
       to_json(array(select i.inhrelid::int8 from pg_catalog.pg_inherits i
        where i.inhparent = c.oid and c.relkind <> 'p' order by i.inhrelid)) as inheritance_children,
       (select case when 0 = any(p.partattrs::int2[]) then '[]'::json
          else (select json_agg(a.attname) from unnest(p.partattrs::int2[]) as k(attnum)
                join pg_catalog.pg_attribute a on a.attrelid = p.partrelid and a.attnum = k.attnum) end
        from pg_catalog.pg_partitioned_table p where p.partrelid = c.oid) as partition_key,
       json_build_object(
         'user', current_user, 'schemaUsage', has_schema_privilege(n.oid, 'usage'),
         'select', has_table_privilege(c.oid, 'select'), 'insert', has_table_privilege(c.oid, 'insert'),
         'update', has_table_privilege(c.oid, 'update'), 'delete', has_table_privilege(c.oid, 'delete'),
         'truncate', has_table_privilege(c.oid, 'truncate'), 'trigger', has_table_privilege(c.oid, 'trigger'),
         'owner', pg_has_role(c.relowner, 'usage')) as privileges
     from tree t
     join pg_catalog.pg_class c on c.oid = t.oid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     order by t.root, t.level, n.nspname::text collate "C", c.relname::text collate "C"`,
    [names.map((name) => name.schema), names.map((name) => name.name)],
  );
}

/**
 * Conditions of partitions. pg_get_partition_constraintdef takes ACCESS SHARE on the partition and its ancestors and keeps
 * it to the end of the transaction, one slot of the server's lock table each: asked for a few hundred at a time,
 * so that outside a transaction the table never fills up.
 */
export function boundStatement(oids: readonly number[]): Statement {
  return sql(
    "catalog.bound",
    `select c.oid, pg_get_partition_constraintdef(c.oid) as bound
     from pg_catalog.pg_class c where c.oid = any($1::oid[]) and c.relispartition`,
    [oids],
  );
}
