import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Who may do what: one line per grantee, null for PUBLIC. */
export type Grant = { readonly to: string | null; readonly privilege: string; readonly grantable: boolean };

/** Rights on something that are not those it begins with. `on` as GRANT names it: `SCHEMA public`. */
export type Rights = { readonly on: string; readonly now: readonly Grant[]; readonly usual: readonly Grant[] };

/** ALTER DEFAULT PRIVILEGES: `head` up to the verb, `kind` as in `on TABLES`. */
export type DefaultRights = {
  readonly head: string;
  readonly kind: string;
  readonly now: readonly Grant[];
  readonly usual: readonly Grant[];
};

/** Owner and comment of what a move finds and may change: the database and its schemas, and the comments of extensions. */
export type Thing = { readonly what: string; readonly owner: string | null; readonly comment: string | null };

/** What was in the new database before the move: when the move is given up, it is so again. */
export type Found = {
  /** Whatever lies in no schema, and the schemas, by the names that `readLoose` gives. */
  readonly loose: readonly string[];
  readonly things: readonly Thing[];
  readonly rights: readonly Rights[];
  readonly defaults: readonly DefaultRights[];
  /** Of the database: `role`, null for everybody, and its settings as `name=value`. */
  readonly settings: readonly { readonly role: string | null; readonly settings: readonly string[] }[];
  readonly connectionLimit: number;
};

export async function readFound(session: Session): Promise<Found> {
  const { connectionLimit } = await session.one<{ connectionLimit: number }>(
    sql(
      "migrate.found-limit",
      `select datconnlimit as "connectionLimit" from pg_catalog.pg_database where datname = pg_catalog.current_database()`,
    ),
  );
  return {
    loose: (await readLoose(session)).map(({ id }) => id),
    things: await session.query(things),
    rights: await session.query(rights),
    defaults: await session.query(defaults),
    settings: await session.query(settings),
    connectionLimit,
  };
}

/** What lies in no schema, and the schemas, in the order in which it can go; each with the statement that drops it with all that depends on it. */
export function readLoose(session: Session): Promise<{ readonly id: string; readonly drop: string }[]> {
  return session.query(loose);
}

const mine = (catalog: string, oid: string) =>
  `not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;

/** From here on numbers are of what users made. */
const USERS = 16384;

const loose = sql(
  "migrate.loose",
  `select o.id, 'drop ' || o.kind || ' if exists ' || o.name || case o.kind when 'user mapping' then '' else ' cascade' end as drop
     from (
       select 1 as rank, 'event trigger ' || evtname as id, 'event trigger' as kind, quote_ident(evtname) as name from pg_catalog.pg_event_trigger e where ${mine("pg_event_trigger", "e.oid")}
       union all select 1, 'publication ' || pubname, 'publication', quote_ident(pubname) from pg_catalog.pg_publication
       union all select 2, 'extension ' || extname, 'extension', quote_ident(extname) from pg_catalog.pg_extension
       union all select 3, 'server ' || srvname, 'server', quote_ident(srvname) from pg_catalog.pg_foreign_server s where ${mine("pg_foreign_server", "s.oid")}
       union all select 3, format('mapping of %s on %s', coalesce(usename, 'public'), srvname), 'user mapping',
                        format('for %s server %I', case when umuser = 0 then 'public' else quote_ident(usename) end, srvname) from pg_catalog.pg_user_mappings
       union all select 4, 'wrapper ' || fdwname, 'foreign data wrapper', quote_ident(fdwname) from pg_catalog.pg_foreign_data_wrapper w
                  where ${mine("pg_foreign_data_wrapper", "w.oid")}
       union all select 5, 'schema ' || nspname, 'schema', quote_ident(nspname) from pg_catalog.pg_namespace n
                  where nspname !~ '^pg_' and nspname <> 'information_schema' and ${mine("pg_namespace", "n.oid")}
       union all select 6, format('cast (%s as %s)', format_type(castsource, null), format_type(casttarget, null)), 'cast',
                        format('(%s as %s)', format_type(castsource, null), format_type(casttarget, null)) from pg_catalog.pg_cast c
                  where c.oid >= ${USERS} and ${mine("pg_cast", "c.oid")}
       union all select 6, format('transform of %s for %s', format_type(trftype, null), l.lanname), 'transform', format('for %s language %I', format_type(trftype, null), l.lanname)
                   from pg_catalog.pg_transform t join pg_catalog.pg_language l on l.oid = t.trflang where ${mine("pg_transform", "t.oid")}
       union all select 7, 'language ' || lanname, 'language', quote_ident(lanname) from pg_catalog.pg_language l where l.oid >= ${USERS} and ${mine("pg_language", "l.oid")}
       union all select 7, 'method ' || amname, 'access method', quote_ident(amname) from pg_catalog.pg_am a where a.oid >= ${USERS} and ${mine("pg_am", "a.oid")}
     ) o
    order by o.rank, o.id`,
);

const things = sql(
  "migrate.things",
  `select 'SCHEMA ' || quote_ident(nspname) as what, pg_get_userbyid(nspowner)::text as owner, obj_description(oid, 'pg_namespace') as comment
     from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'bucardo')
   union all
   select 'EXTENSION ' || quote_ident(extname), null, obj_description(oid, 'pg_extension') from pg_catalog.pg_extension
   union all
   select 'DATABASE ' || quote_ident(datname), pg_get_userbyid(datdba)::text, shobj_description(oid, 'pg_database') from pg_catalog.pg_database
    where datname = current_database()
   order by 1`,
);

/** Sorted, so that equal rights are equal texts. */
const grantsOf = (acl: string) =>
  `(select coalesce(json_agg(json_build_object('to', r.rolname, 'privilege', a.privilege_type, 'grantable', a.is_grantable) order by r.rolname nulls first, a.privilege_type), '[]')
      from aclexplode(${acl}) a left join pg_catalog.pg_roles r on r.oid = a.grantee)`;

/** Rights that differ from those that the object began with: what initdb or its extension gave, else what the kind begins with. */
const rights = sql(
  "migrate.rights",
  `with bearer (kind, classid, oid, name, acl, usual) as (
     select case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end, 'pg_class'::regclass, c.oid, format('%I.%I', n.nspname, c.relname), c.relacl,
            acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and c.relacl is not null
     union all
     select case when to_jsonb(p) ->> 'prokind' = 'p' then 'PROCEDURE' else 'FUNCTION' end, 'pg_proc'::regclass, p.oid,
            format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proacl, acldefault('f', p.proowner)
       from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace where p.proacl is not null
     union all
     select 'TYPE', 'pg_type'::regclass, t.oid, format('%I.%I', n.nspname, t.typname), t.typacl, acldefault('T', t.typowner)
       from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.typacl is not null
     union all
     select 'SCHEMA', 'pg_namespace'::regclass, oid, quote_ident(nspname), nspacl, acldefault('n', nspowner) from pg_catalog.pg_namespace
      where nspacl is not null and nspname !~ '^pg_(toast_)?temp_'
     union all
     select 'LANGUAGE', 'pg_language'::regclass, oid, quote_ident(lanname), lanacl, acldefault('l', lanowner) from pg_catalog.pg_language where lanacl is not null
     union all
     select 'FOREIGN DATA WRAPPER', 'pg_foreign_data_wrapper'::regclass, oid, quote_ident(fdwname), fdwacl, acldefault('F', fdwowner)
       from pg_catalog.pg_foreign_data_wrapper where fdwacl is not null
     union all
     select 'FOREIGN SERVER', 'pg_foreign_server'::regclass, oid, quote_ident(srvname), srvacl, acldefault('S', srvowner) from pg_catalog.pg_foreign_server where srvacl is not null
     union all
     select 'DATABASE', 'pg_database'::regclass, oid, quote_ident(datname), datacl, acldefault('d', datdba) from pg_catalog.pg_database
      where datacl is not null and datname = current_database()
   )
   select x.kind || ' ' || x.name as "on", x.now, x.usual
     from (select b.kind, b.name, ${grantsOf("b.acl")} as now, ${grantsOf("coalesce(i.initprivs, b.usual)")} as usual
             from bearer b left join pg_catalog.pg_init_privs i on i.classoid = b.classid and i.objoid = b.oid and i.objsubid = 0) x
    where x.now::text <> x.usual::text
    order by 1`,
);

const defaults = sql(
  "migrate.default-rights",
  `select format('alter default privileges for role %I%s', pg_get_userbyid(d.defaclrole), coalesce(' in schema ' || quote_ident(n.nspname), '')) as head,
          k.kind, ${grantsOf("d.defaclacl")} as now, ${grantsOf("case when d.defaclnamespace = 0 then acldefault(case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end, d.defaclrole) end")} as usual
     from pg_catalog.pg_default_acl d left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
     join (values ('r', 'tables'), ('S', 'sequences'), ('f', 'functions'), ('T', 'types'), ('n', 'schemas'), ('L', 'large objects')) k (type, kind) on k.type = d.defaclobjtype::text
    order by 1, 2`,
);

const settings = sql(
  "migrate.found-settings",
  `select r.rolname::text as role, s.setconfig as settings
     from pg_catalog.pg_db_role_setting s join pg_catalog.pg_database d on d.oid = s.setdatabase and d.datname = current_database()
     left join pg_catalog.pg_roles r on r.oid = s.setrole
    order by 1 nulls first`,
);
