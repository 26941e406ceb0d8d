import { quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";

/** What was in the new database before the move: none of it is touched when the move is given up. */
export type Found = { readonly schemas: readonly string[]; readonly extensions: readonly string[] };

export async function readFound(session: Session): Promise<Found> {
  return session.one<Found>(
    sql(
      "migrate.found",
      `select array(select nspname::text from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1) as schemas,
              array(select extname::text from pg_catalog.pg_extension order by 1) as extensions`,
    ),
  );
}

/**
 * Takes everything out of a database that was empty when the move began: schemas and extensions that were not there, what is in schemas that were, large
 * objects, publications, event triggers. One transaction, so that it is all or nothing; a database of very many tables may need a higher max_locks_per_transaction.
 */
export async function emptyTarget(session: Session, found: Found): Promise<void> {
  await transaction(session, {}, async () => {
    await session.script(sql("migrate.empty-globals", dropGlobals(found)));
    for (const { text } of await session.query<{ text: string }>(objectsLeft)) await session.script(sql("migrate.empty-object", text));
    await session.script(sql("migrate.empty-large-objects", "select pg_catalog.lo_unlink(oid) from pg_catalog.pg_largeobject_metadata"));
  });
}

function dropGlobals({ schemas, extensions }: Found): string {
  return `do $$
declare
  item record;
begin
  for item in select evtname as name from pg_catalog.pg_event_trigger e
               where not exists (select from pg_catalog.pg_depend d where d.objid = e.oid and d.classid = 'pg_catalog.pg_event_trigger'::regclass and d.deptype = 'e')
  loop execute format('drop event trigger %I cascade', item.name); end loop;
  for item in select pubname as name from pg_catalog.pg_publication loop execute format('drop publication %I', item.name); end loop;
  for item in select extname as name from pg_catalog.pg_extension where extname <> all (${textArray(extensions)})
  loop execute format('drop extension if exists %I cascade', item.name); end loop;
  for item in select nspname as name from pg_catalog.pg_namespace
               where nspname !~ '^pg_' and nspname <> 'information_schema' and nspname <> all (${textArray(schemas)})
  loop execute format('drop schema if exists %I cascade', item.name); end loop;
end $$`;
}

/** What is left in the schemas that stay, as statements: nothing that an extension owns, nothing that goes with something else. */
const objectsLeft = sql(
  "migrate.empty-left",
  `select format('drop %s if exists %s cascade', case o.type when 'statistics object' then 'statistics' else o.type end, o.identity) as text
     from (
       select 1 as rank, 'pg_catalog.pg_class'::regclass as class, c.oid, c.relnamespace as namespace from pg_catalog.pg_class c where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
       union all select 2, 'pg_catalog.pg_proc'::regclass, p.oid, p.pronamespace from pg_catalog.pg_proc p
       union all select 3, 'pg_catalog.pg_type'::regclass, t.oid, t.typnamespace from pg_catalog.pg_type t
                  where t.typrelid = 0 and not exists (select from pg_catalog.pg_type e where e.typarray = t.oid)
                     or exists (select from pg_catalog.pg_class c where c.oid = t.typrelid and c.relkind = 'c')
       union all select 4, 'pg_catalog.pg_operator'::regclass, x.oid, x.oprnamespace from pg_catalog.pg_operator x
       union all select 4, 'pg_catalog.pg_opfamily'::regclass, x.oid, x.opfnamespace from pg_catalog.pg_opfamily x
       union all select 4, 'pg_catalog.pg_collation'::regclass, x.oid, x.collnamespace from pg_catalog.pg_collation x
       union all select 4, 'pg_catalog.pg_conversion'::regclass, x.oid, x.connamespace from pg_catalog.pg_conversion x
       union all select 4, 'pg_catalog.pg_statistic_ext'::regclass, x.oid, x.stxnamespace from pg_catalog.pg_statistic_ext x
       union all select 4, 'pg_catalog.pg_ts_config'::regclass, x.oid, x.cfgnamespace from pg_catalog.pg_ts_config x
       union all select 5, 'pg_catalog.pg_ts_dict'::regclass, x.oid, x.dictnamespace from pg_catalog.pg_ts_dict x
       union all select 6, 'pg_catalog.pg_ts_parser'::regclass, x.oid, x.prsnamespace from pg_catalog.pg_ts_parser x
       union all select 6, 'pg_catalog.pg_ts_template'::regclass, x.oid, x.tmplnamespace from pg_catalog.pg_ts_template x
     ) found
     join pg_catalog.pg_namespace n on n.oid = found.namespace
     cross join lateral pg_catalog.pg_identify_object(found.class, found.oid, 0) o
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_catalog.pg_depend d where d.classid = found.class and d.objid = found.oid and d.deptype in ('e', 'i'))
    order by found.rank, found.oid`,
);

function textArray(names: readonly string[]): string {
  return `array[${names.map(quoteLiteral).join(", ")}]::text[]`;
}
