import { BucardoError } from "../model/error.ts";
import { connect } from "../postgres/connect.ts";
import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";

/** The database whose existence is sure, where others are made. */
const MAINTENANCE = "postgres";

/** Opens the new database, making it like the old one when the server does not have it. `made`: it was not there. */
export async function openNewDatabase(
  endpoint: Endpoint,
  old: Session,
  signal: AbortSignal,
): Promise<{ readonly session: Session; readonly made: boolean }> {
  try {
    return { session: await openEndpoint(endpoint, "state", signal), made: false };
  } catch (error) {
    if (!(error instanceof BucardoError) || error.details.sqlstate !== "3D000") throw error;
  }
  await using maintenance = await openMaintenance(endpoint, signal);
  await makeDatabase(maintenance, endpoint.dbname, old);
  return { session: await openEndpoint(endpoint, "state", signal), made: true };
}

/** Whether our user may make a database on that server. */
export async function mayCreateDatabase(maintenance: Session): Promise<boolean> {
  const { may } = await maintenance.one<{ may: boolean }>(
    sql("migrate.may-create", "select rolcreatedb or rolsuper as may from pg_catalog.pg_roles where rolname = current_user"),
  );
  return may;
}

export async function dropNewDatabase(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  await using maintenance = await openMaintenance(endpoint, signal);
  await maintenance.script(sql("migrate.drop-database", `drop database if exists ${quoteIdent(endpoint.dbname)}`));
}

/** A session where the database of the endpoint need not be. */
export function openMaintenance(endpoint: Endpoint, signal: AbortSignal): Promise<Session> {
  return connect({ ...endpoint.options, dbname: MAINTENANCE, applicationName: "bucardo migrate database", signal });
}

type Locale = { readonly encoding: string; readonly collate: string; readonly ctype: string };

/** With the encoding and locale of the old one: another collation would sort and compare differently. Errors: the server's, e.g. for a locale it lacks. */
async function makeDatabase(maintenance: Session, name: string, old: Session): Promise<void> {
  const { encoding, collate, ctype } = await old.one<Locale>(
    sql(
      "migrate.locale",
      `select pg_catalog.pg_encoding_to_char(encoding)::text as encoding, datcollate::text as collate, datctype::text as ctype
         from pg_catalog.pg_database where datname = pg_catalog.current_database()`,
    ),
  );
  await maintenance.script(
    sql(
      "migrate.create-database",
      `create database ${quoteIdent(name)} template template0 encoding ${quoteLiteral(encoding)} lc_collate ${quoteLiteral(collate)} lc_ctype ${quoteLiteral(ctype)}`,
    ),
  );
}
