import type { TestDatabase } from "./database.ts";

/**
 * All that a product could leave in a database, a line each: schemas, relations, functions, types, triggers, rules, extensions and whatever lies in no schema,
 * with comments, owners and rights of what is there from the beginning, settings of the database, and every row of schema bucardo. Two equal lists mean that nothing was changed there (rows of the user's own tables do not count).
 */
export async function footprint(database: TestDatabase): Promise<string[]> {
  const objects = await database.query<{ line: string }>(`
    select format('%s %s', kind, name) as line from (
      select 'schema', nspname::text from pg_namespace where nspname !~ '^pg_(toast_)?temp'
      union all select 'relation ' || relkind::text, oid::regclass::text from pg_class where relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
      union all select 'function', oid::regprocedure::text from pg_proc where pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
      union all select 'type', oid::regtype::text from pg_type where typnamespace::regnamespace::text !~ '^(pg_|information_schema)'
      union all select 'trigger ' || tgenabled::text, tgname || ' on ' || tgrelid::regclass from pg_trigger where not tgisinternal
      union all select 'rule', rulename || ' on ' || ev_class::regclass from pg_rewrite where rulename <> '_RETURN' and ev_class >= 16384
      union all select 'event trigger', evtname from pg_event_trigger
      union all select 'publication', pubname from pg_publication
      union all select 'language', lanname from pg_language
      union all select 'extension', extname || coalesce(': ' || obj_description(oid, 'pg_extension'), '') from pg_extension
      union all select 'wrapper', fdwname from pg_foreign_data_wrapper
      union all select 'server', srvname from pg_foreign_server
      union all select 'mapping', coalesce(usename, 'public') || ' on ' || srvname from pg_user_mappings
      union all select 'cast', castsource::regtype || ' as ' || casttarget::regtype from pg_cast
      union all select 'transform', trftype::regtype || ' for ' || trflang from pg_transform
      union all select 'method', amname from pg_am
      union all select 'large object', count(*)::text from pg_largeobject_metadata
      union all select 'default rights', pg_get_userbyid(defaclrole) || ' ' || defaclnamespace || ' ' || defaclobjtype::text || ' ' || defaclacl::text from pg_default_acl
      union all select 'rights of schema', nspname || ' ' || (select string_agg(a::text, ' ' order by a::text) from aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a)
                  from pg_namespace where nspname !~ '^pg_(toast_)?temp'
      union all select 'schema', format('%s of %s: %s', nspname, pg_get_userbyid(nspowner), obj_description(oid, 'pg_namespace')) from pg_namespace where nspname !~ '^pg_(toast_)?temp'
      union all select 'rights of a routine', p.oid::regprocedure || ' ' || a::text from pg_proc p, aclexplode(p.proacl) a
                 where not exists (select from pg_init_privs i where i.objoid = p.oid and i.initprivs @> p.proacl and i.initprivs <@ p.proacl)
      union all select 'database', format('of %s, %s connections: %s', pg_get_userbyid(datdba), datconnlimit, shobj_description(oid, 'pg_database')) from pg_database where datname = current_database()
      union all select 'rights of database', a::text from pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a where datname = current_database()
      union all select 'setting', setrole || ' ' || setconfig::text from pg_db_role_setting where setdatabase = (select oid from pg_database where datname = current_database())
    ) x (kind, name) order by 1`);
  return [...objects.map(({ line }) => line), ...(await rowsOfBucardo(database))];
}

async function rowsOfBucardo(database: TestDatabase): Promise<string[]> {
  const tables = await database.query<{ text: string }>(`
    select format('select %L || t::text as line from %s t', 'row of ' || oid::regclass || ' ', oid::regclass) as text
      from pg_class where relkind = 'r' and relnamespace = to_regnamespace('bucardo') order by relname`);
  if (tables.length === 0) return [];
  const rows = await database.query<{ line: string }>(`${tables.map(({ text }) => text).join(" union all ")} order by 1`);
  return rows.map(({ line }) => line);
}
