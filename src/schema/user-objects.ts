import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/**
 * What users have made in this database, each as `table s.t`, sorted: nothing of the system's, nothing that an extension brought, not the schema public
 * itself. A structure is restored into a database where this is empty. Extensions alone do not count: providers put theirs into every database.
 */
export async function userObjects(session: Session): Promise<string[]> {
  const rows = await session.query<{ text: string }>(statement);
  return rows.map(({ text }) => text).toSorted();
}

const mine = (catalog: string, oid: string) =>
  `not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;

const statement = sql(
  "schema.user-objects",
  `select o.kind || ' ' || case when n.nspname is null then '' else pg_catalog.quote_ident(n.nspname) || '.' end || pg_catalog.quote_ident(o.name) as text
     from (
       select case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' when 'c' then 'type' else 'table' end as kind,
              c.relnamespace as namespace, c.relname as name
         from pg_catalog.pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c') and c.relpersistence <> 't' and ${mine("pg_class", "c.oid")}
       union all
       select 'function', p.pronamespace, p.proname from pg_catalog.pg_proc p where ${mine("pg_proc", "p.oid")}
       union all
       select 'type', t.typnamespace, t.typname from pg_catalog.pg_type t
        where t.typrelid = 0 and t.typtype <> 'p' and not exists (select from pg_catalog.pg_type e where e.typarray = t.oid)
          and ${mine("pg_type", "t.oid")}
       union all
       select 'operator', p.oprnamespace, p.oprname from pg_catalog.pg_operator p where ${mine("pg_operator", "p.oid")}
       union all
       select 'collation', c.collnamespace, c.collname from pg_catalog.pg_collation c where ${mine("pg_collation", "c.oid")}
       union all
       select 'text search configuration', c.cfgnamespace, c.cfgname from pg_catalog.pg_ts_config c where ${mine("pg_ts_config", "c.oid")}
       union all
       select 'schema', null::oid, s.nspname from pg_catalog.pg_namespace s where s.nspname not in ('public', 'information_schema') and s.nspname !~ '^pg_' and ${mine("pg_namespace", "s.oid")}
       union all
       select 'event trigger', null::oid, e.evtname from pg_catalog.pg_event_trigger e where ${mine("pg_event_trigger", "e.oid")}
       union all
       select 'publication', null::oid, p.pubname from pg_catalog.pg_publication p
       union all
       select 'foreign server', null::oid, s.srvname from pg_catalog.pg_foreign_server s where ${mine("pg_foreign_server", "s.oid")}
       union all
       select 'large object', null::oid, l.oid::text::name from (select oid from pg_catalog.pg_largeobject_metadata limit 1) l
     ) o
     left join pg_catalog.pg_namespace n on n.oid = o.namespace
    where n.oid is null or n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`,
);
