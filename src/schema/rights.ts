import type { Problem } from "../model/error.ts";
import { displayName, firstOf } from "../model/name.ts";
import { quoteIdent, quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

type SchemaRow = { readonly schema: string; readonly user: string; readonly usage: boolean; readonly tables: string[] };

/**
 * What our user lacks to read the whole structure: pg_dump locks every table, also those that stay behind, which needs USAGE on its schema and SELECT. With
 * the exact GRANT; all of a schema together. `known`: `displayName` of tables that are reported already. One query.
 */
export async function checkDumpRights(session: Session, known: ReadonlySet<string> = new Set()): Promise<Problem[]> {
  const rows = await session.query<SchemaRow>(dumpStatement);
  return rows.flatMap(({ schema, user, usage, tables }) => {
    const names = tables.map((name) => ({ schema, name })).filter((name) => !known.has(displayName(name)));
    // The schema is told of with its tables.
    if (names.length === 0 && tables.length > 0) return [];
    const grants = [
      ...(usage ? [] : [`grant usage on schema ${quoteIdent(schema)} to ${quoteIdent(user)};`]),
      ...(names.length === 0 ? [] : [`grant select on ${names.map(quoteName).join(", ")} to ${quoteIdent(user)};`]),
    ].join(" ");
    return [
      {
        grade: "error" as const,
        db: session.name,
        what:
          names.length === 0
            ? `${user} may not use schema ${schema}, so its structure cannot be read`
            : `${user} may not read ${firstOf(names.map(displayName), 3)}, so the structure cannot be read`,
        remedy: session.serverVersion >= 140000 ? `${grants} Or all at once: grant pg_read_all_data to ${quoteIdent(user)};` : grants,
      },
    ];
  });
}

const dumpStatement = sql(
  "schema.dump-rights",
  `select n.nspname::text as schema, current_user::text as user, pg_catalog.has_schema_privilege(n.oid, 'usage') as usage,
          coalesce(array_agg(c.relname::text order by c.relname::text) filter (where not pg_catalog.has_table_privilege(c.oid, 'select')), '{}') as tables
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and c.relpersistence <> 't' and n.nspname not in ('information_schema', 'bucardo') and n.nspname !~ '^pg_'
    group by n.oid, n.nspname
   having not pg_catalog.has_schema_privilege(n.oid, 'usage') or bool_or(not pg_catalog.has_table_privilege(c.oid, 'select'))
    order by 1`,
);

/** Large objects that our user may not read. One query, whatever their number. */
export async function checkLargeObjectRights(session: Session): Promise<Problem[]> {
  const { user, count } = await session.one<{ user: string; count: number }>(largeObjectsStatement);
  if (count === 0) return [];
  const grant = `format('grant select on large object %s to %I', oid, ${quoteLiteral(user)})`;
  return [
    {
      grade: "error",
      db: session.name,
      what: `${user} may not read ${count} large ${count === 1 ? "object" : "objects"}`,
      remedy: `As a superuser: do $$ declare oid oid; begin for oid in select m.oid from pg_largeobject_metadata m loop execute ${grant}; end loop; end $$;`,
    },
  ];
}

const largeObjectsStatement = sql(
  "schema.large-object-rights",
  `select current_user::text as user,
          (select count(*)::int from pg_catalog.pg_largeobject_metadata m
            where not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) and current_setting('lo_compat_privileges') = 'off'
              and not pg_catalog.pg_has_role(m.lomowner, 'usage')
              and not exists (select from pg_catalog.aclexplode(m.lomacl) a
                               where a.privilege_type = 'SELECT' and (a.grantee = 0 or pg_catalog.pg_has_role(a.grantee, 'usage')))) as count`,
);
