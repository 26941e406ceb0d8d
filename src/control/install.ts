import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** What the installing role may do, and what is there. */
export type Ground = {
  readonly role: string;
  readonly superuser: boolean;
  readonly createRole: boolean;
  readonly createDatabase: boolean;
  readonly roleExists: boolean;
  readonly databaseExists: boolean;
};

export const ROLE = "bucardo";

/** Seen from any database of the server. */
export async function readGround(session: Session, dbname: string): Promise<Ground> {
  return await session.one<Ground>(
    sql(
      "install.ground",
      `select r.rolname::text as role, r.rolsuper as superuser, r.rolsuper or r.rolcreaterole as "createRole",
              r.rolsuper or r.rolcreatedb as "createDatabase",
              exists (select from pg_roles o where o.rolname = $1) as "roleExists",
              exists (select from pg_database d where d.datname = $2) as "databaseExists"
         from pg_roles r where r.rolname = current_user`,
      [ROLE, dbname],
    ),
  );
}

/** What is in the control database already, and whether we may make a schema there. */
export type Place = { readonly mayCreate: boolean; readonly perlVersion: boolean; readonly owner: string };

export async function readPlace(session: Session): Promise<Place> {
  return await session.one<Place>(
    sql(
      "install.place",
      `select has_database_privilege(current_database(), 'create') as "mayCreate",
              to_regclass('bucardo.bucardo_config') is not null as "perlVersion",
              (select pg_get_userbyid(d.datdba)::text from pg_database d where d.datname = current_database()) as owner`,
    ),
  );
}
