import type { TestDatabase } from "./database.ts";

/**
 * All that a product could leave in a database, a line each: schemas, relations, functions, types, triggers, rules and extensions, and every row
 * of schema bucardo. Two equal lists mean that nothing was changed there (rows of the user's own tables do not count).
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
      union all select 'extension', extname from pg_extension
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
