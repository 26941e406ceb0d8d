import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { readFound, readLoose, type Found } from "./found.ts";
import { putRightsBack, putThingsBack } from "./put-back.ts";

/**
 * Makes a database what it was when the move began, and it was empty then: what was not there goes, what is in schemas that were, large objects; owners,
 * comments, rights and settings of what stays are put back. One transaction, so that it is all or nothing; a database of very many tables may need a higher
 * max_locks_per_transaction.
 */
export async function emptyTarget(session: Session, found: Found): Promise<void> {
  await transaction(session, {}, async () => {
    const before = new Set(found.loose);
    for (const { id, drop } of await readLoose(session)) if (!before.has(id)) await session.script(sql("migrate.empty-loose", drop));
    for (const { text } of await session.query<{ text: string }>(objectsLeft)) await session.script(sql("migrate.empty-object", text));
    await session.script(sql("migrate.empty-large-objects", "select pg_catalog.lo_unlink(oid) from pg_catalog.pg_largeobject_metadata"));
    const { name } = await session.one<{ name: string }>(
      sql("migrate.database-name", "select pg_catalog.current_database()::text as name"),
    );
    for (const text of putThingsBack(found, await readFound(session))) await session.script(sql("migrate.put-back", text));
    for (const text of putRightsBack(found, await readFound(session), name)) await session.script(sql("migrate.put-back", text));
  });
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
