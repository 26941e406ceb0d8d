import { sql, type Statement } from "../postgres/sql.ts";

export type KeyRow = {
  table_oid: number;
  name: string;
  columns: string[];
  primary: boolean;
  deferrable: boolean;
  valid: boolean;
  nulls_not_distinct: boolean;
};

/**
 * Unique indexes over whole columns whose collations are those of the columns. Not partial, no expressions, no
 * WITHOUT OVERLAPS (those exclude more than equal keys and no upsert finds them).
 */
export function keyStatement(serverVersion: number, oids: readonly number[]): Statement {
  const keyColumns = serverVersion >= 110000 ? "i.indnkeyatts" : "i.indnatts";
  const notDistinct = serverVersion >= 150000 ? "i.indnullsnotdistinct" : "false";
  return sql(
    "catalog.key",
    `select i.indrelid as table_oid, c.relname::text as name, i.indisprimary as primary, not i.indimmediate as deferrable,
       i.indisvalid and i.indisready as valid, ${notDistinct} as nulls_not_distinct,
       (select json_agg(a.attname order by k.position)
        from unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
        join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where k.position <= ${keyColumns}) as columns
     from pg_catalog.pg_index i
     join pg_catalog.pg_class c on c.oid = i.indexrelid
     where i.indrelid = any($1::oid[]) and i.indisunique and not i.indisexclusion and i.indpred is null
       and not 0 = any((i.indkey::int2[])[0:${keyColumns} - 1])
       and not exists (
         select 1 from unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
         join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
         where k.position <= ${keyColumns} and a.attcollation <> (i.indcollation::oid[])[k.position - 1])
     order by i.indrelid, c.relname::text collate "C"`,
    [oids],
  );
}

export type ConstraintRow = {
  table_oid: number;
  kind: "f" | "c" | "x";
  name: string;
  deferrable: boolean;
  to_schema: string | null;
  to_name: string | null;
  definition: string;
};

/** Foreign keys, checks and exclusions. Of a partition's foreign keys only those it declares itself. */
export function constraintStatement(serverVersion: number, oids: readonly number[]): Statement {
  const declared = serverVersion >= 110000 ? "and (co.contype <> 'f' or co.conparentid = 0)" : "";
  return sql(
    "catalog.constraint",
    `select co.conrelid as table_oid, co.contype::text as kind, co.conname::text as name, co.condeferrable as deferrable,
       n.nspname::text as to_schema, c.relname::text as to_name, pg_get_constraintdef(co.oid) as definition
     from pg_catalog.pg_constraint co
     left join pg_catalog.pg_class c on c.oid = co.confrelid
     left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where co.conrelid = any($1::oid[]) and co.contype in ('f', 'c', 'x') ${declared}
     order by co.conrelid, co.conname::text collate "C"`,
    [oids],
  );
}

export type FiringRow = { table_oid: number; kind: "trigger" | "rule"; name: string; enabled: "O" | "D" | "R" | "A"; internal: boolean };

/** Triggers and the rules that rewrite INSERT, UPDATE or DELETE, of the tables and (triggers) of their partitions. */
export function firingStatement(oids: readonly number[]): Statement {
  return sql(
    "catalog.firing",
    `select t.tgrelid as table_oid, 'trigger' as kind, t.tgname::text as name, t.tgenabled::text as enabled, t.tgisinternal as internal
     from pg_catalog.pg_trigger t where t.tgrelid = any($1::oid[])
     union all
     select r.ev_class, 'rule', r.rulename::text, r.ev_enabled::text, false
     from pg_catalog.pg_rewrite r where r.ev_class = any($1::oid[]) and r.ev_type <> '1'
     order by 1, 2, 3`,
    [oids],
  );
}
