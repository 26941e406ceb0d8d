import type { Problem } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** What a database is and what our user may do in it as a whole. */
export type DatabaseFacts = {
  /** Registered name, for reports. */
  readonly db: string;
  /** pg_database.datname. */
  readonly name: string;
  readonly serverVersion: number;
  readonly encoding: string;
  /** current_user */
  readonly user: string;
  readonly superuser: boolean;
  readonly inRecovery: boolean;
  /** May create a schema. */
  readonly create: boolean;
  /** May create temporary tables. */
  readonly temporary: boolean;
  /** May set session_replication_role, so that triggers and foreign keys stay silent. */
  readonly replicaRole: boolean;
  /** Owner of the schema bucardo, null when there is none; and whether we may create in it. */
  readonly schemaOwner: string | null;
  readonly schemaCreate: boolean;
};

export async function readDatabaseFacts(session: Session): Promise<DatabaseFacts> {
  const parameter = session.serverVersion >= 150000 ? " or has_parameter_privilege('session_replication_role', 'set')" : "";
  const row = await session.one<Omit<DatabaseFacts, "db" | "serverVersion">>(
    sql(
      "catalog.database",
      `select d.datname::text as name, pg_encoding_to_char(d.encoding)::text as encoding, current_user::text as "user",
         r.rolsuper as superuser, pg_is_in_recovery() as "inRecovery",
         has_database_privilege(d.oid, 'create') as "create", has_database_privilege(d.oid, 'temporary') as temporary,
         r.rolsuper${parameter} as "replicaRole",
         pg_get_userbyid(n.nspowner)::text as "schemaOwner", coalesce(has_schema_privilege(n.oid, 'create'), false) as "schemaCreate"
       from pg_catalog.pg_database d
       join pg_catalog.pg_roles r on r.rolname = current_user
       left join pg_catalog.pg_namespace n on n.nspname = 'bucardo'
       where d.datname = current_database()`,
    ),
  );
  return { db: session.name, serverVersion: session.serverVersion, ...row };
}

/** Differences of whole databases that rows may stumble over: encodings. */
export function compareDatabases(source: DatabaseFacts, target: DatabaseFacts): Problem[] {
  const problem = (grade: Problem["grade"], what: string, remedy: string): Problem[] => [{ grade, db: target.db, what, remedy }];
  // Everything crosses as UTF8; this is the one encoding that the server cannot convert to it.
  const inconvertible = [source, target].find((side) => side.encoding === "MULE_INTERNAL");
  if (inconvertible)
    return problem(
      "error",
      `${inconvertible.db} is encoded in MULE_INTERNAL, which PostgreSQL does not convert`,
      "Move it to a database in UTF8 by hand first.",
    );
  if (source.encoding === target.encoding) return [];
  if (source.encoding === "SQL_ASCII") {
    return problem(
      "warning",
      `${source.db} is in SQL_ASCII (bytes of no known encoding) and ${target.db} in ${target.encoding}: a row whose bytes are not valid UTF8 stops the sync`,
      "Make the source's text valid UTF8, or use a target database in SQL_ASCII.",
    );
  }
  if (target.encoding === "SQL_ASCII") {
    return problem(
      "warning",
      `${target.db} is in SQL_ASCII: text of ${source.db} (${source.encoding}) arrives there as UTF8, and nothing checks it later`,
      "Use a target database in UTF8.",
    );
  }
  if (target.encoding === "UTF8") return [];
  return problem(
    "warning",
    `${target.db} is in ${target.encoding}, which lacks characters that ${source.db} (${source.encoding}) can hold: a row with one stops the sync`,
    "Use a target database in UTF8.",
  );
}
