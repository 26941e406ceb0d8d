/**
 * Roles are of the whole server: they are compared, those that are missing become objects of the stage `role` (restore.ts), those that differ are reported.
 *
 *   const plan = planRoles(await readRoles(source), await readRoles(target), { db, targetVersion, wanted: await rolesOfDatabase(source), superuser });
 *   plan.objects, plan.problems
 */
import { sqlstateOf } from "../postgres/failure.ts";
import { CAPTURE_ROLE } from "../capture/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

export type Role = {
  readonly name: string;
  readonly superuser: boolean;
  readonly inherit: boolean;
  readonly createRole: boolean;
  readonly createDb: boolean;
  readonly login: boolean;
  readonly replication: boolean;
  readonly bypassRls: boolean;
  readonly connectionLimit: number;
  /** Text of timestamptz, or null. */
  readonly validUntil: string | null;
  /** SCRAM verifier or MD5 hash: never printed; null when there is none. */
  readonly password: string | null;
  readonly comment: string | null;
  /** `search_path=a, b` of ALTER ROLE .. SET. */
  readonly settings: readonly string[];
};

/** `admin`, `inherit`, `set`: options of the membership; the last two are of the role as a whole before 16. */
export type Membership = {
  readonly role: string;
  readonly member: string;
  readonly admin: boolean;
  readonly inherit: boolean;
  readonly set: boolean;
};

export type Roles = {
  readonly roles: readonly Role[];
  readonly memberships: readonly Membership[];
  /** False: only superusers read the hashes, and roles arrive without a password. */
  readonly passwords: boolean;
};

/** All roles but those of the system (pg_*) and the one that our own trigger functions belong to. */
export async function readRoles(session: Session): Promise<Roles> {
  const withHashes = await readWithHashes(session);
  const roles = withHashes ?? (await session.query<Role>(rolesStatement("pg_roles", "null::text")));
  return {
    roles,
    memberships: await session.query<Membership>(membershipsStatement(session.serverVersion)),
    passwords: withHashes !== null,
  };
}

async function readWithHashes(session: Session): Promise<Role[] | null> {
  const { readable } = await session.one<{ readable: boolean }>(
    sql("schema.hashes-readable", "select pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'select') as readable"),
  );
  if (!readable) return null;
  try {
    return await session.query<Role>(rolesStatement("pg_authid", "r.rolpassword"));
  } catch (error) {
    // Some providers refuse it to their superusers too.
    if (sqlstateOf(error) === "42501") return null;
    throw error;
  }
}

const rolesStatement = (catalog: string, password: string) =>
  sql(
    "schema.roles",
    `select r.rolname::text as name, r.rolsuper as superuser, r.rolinherit as inherit, r.rolcreaterole as "createRole", r.rolcreatedb as "createDb",
            r.rolcanlogin as login, r.rolreplication as replication, r.rolbypassrls as "bypassRls", r.rolconnlimit as "connectionLimit",
            r.rolvaliduntil::text as "validUntil", ${password} as password, pg_catalog.shobj_description(r.oid, 'pg_authid') as comment,
            coalesce((select s.setconfig from pg_catalog.pg_db_role_setting s where s.setrole = r.oid and s.setdatabase = 0), '{}') as settings
       from pg_catalog.${catalog} r
      where r.rolname !~ '^pg_' and r.rolname <> '${CAPTURE_ROLE}'
      order by r.rolname::text collate "C"`,
  );

const membershipsStatement = (version: number) =>
  sql(
    "schema.memberships",
    `select g.rolname::text as role, m.rolname::text as member, pg_catalog.bool_or(a.admin_option) as admin,
            ${version >= 160000 ? "pg_catalog.bool_or(a.inherit_option) as inherit, pg_catalog.bool_or(a.set_option) as set" : "m.rolinherit as inherit, true as set"}
       from pg_catalog.pg_auth_members a
       join pg_catalog.pg_roles g on g.oid = a.roleid
       join pg_catalog.pg_roles m on m.oid = a.member
      where m.rolname !~ '^pg_'
      group by g.rolname, m.rolname${version >= 160000 ? "" : ", m.rolinherit"}
      order by g.rolname::text collate "C", m.rolname::text collate "C"`,
  );

/** The roles that this database speaks of: owners, grantees, policies, settings, user mappings; not those of the system. */
export async function rolesOfDatabase(session: Session): Promise<Set<string>> {
  const rows = await session.query<{ name: string }>(
    sql(
      "schema.roles-of-database",
      `select distinct r.rolname::text as name
         from pg_catalog.pg_roles r
        where r.rolname !~ '^pg_' and (
              r.oid in (select d.refobjid from pg_catalog.pg_shdepend d
                         where d.refclassid = 'pg_catalog.pg_authid'::regclass
                           and d.dbid = (select oid from pg_catalog.pg_database where datname = current_database()))
           or r.oid in (select s.setrole from pg_catalog.pg_db_role_setting s
                         where s.setdatabase = (select oid from pg_catalog.pg_database where datname = current_database()))
           or r.oid in (select datdba from pg_catalog.pg_database where datname = current_database())
           or r.rolcanlogin and pg_catalog.has_database_privilege(r.oid, current_database(), 'connect'))`,
    ),
  );
  return new Set(rows.map(({ name }) => name));
}
