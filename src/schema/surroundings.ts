import type { Problem } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { quoteIdent } from "../postgres/quote.ts";
import { sql } from "../postgres/sql.ts";
import { compareExtensions, readAvailableExtensions, readExtensions } from "./extensions.ts";
import { tablespaces } from "./inventory.sql.ts";
import type { SchemaObject } from "./object.ts";
import { planRoles } from "./plan-roles.ts";
import { readRoles, rolesOfDatabase } from "./roles.ts";
import { readDatabaseSettings } from "./settings.ts";

/** What a database needs and pg_dump does not tell: roles before, settings after everything. */
export type Surroundings = {
  readonly before: readonly SchemaObject[];
  readonly after: readonly SchemaObject[];
  readonly notes: readonly Problem[];
};

type Place = { readonly database: string; readonly superuser: boolean };

/** Compares both sides; reads only. */
export async function surroundings(
  source: Session,
  target: Session,
  withRoles: boolean,
  skip: readonly string[] = [],
): Promise<Surroundings> {
  const { database, superuser } = await target.one<Place>(
    sql(
      "schema.place-of-target",
      "select current_database()::text as database, rolsuper as superuser from pg_catalog.pg_roles where rolname = current_user",
    ),
  );
  const context = { db: target.name, targetVersion: target.serverVersion, superuser };
  const [here, there] = [await readRoles(source), await readRoles(target)];
  const roles = planRoles(here, there, { ...context, wanted: await rolesOfDatabase(source) });
  const extensions = compareExtensions(await readExtensions(source), await readAvailableExtensions(target), target.name, skip);
  return {
    before: withRoles ? roles.objects : [],
    after: await readDatabaseSettings(source, database),
    notes: [...(withRoles ? roles.problems : []), ...extensions, ...(await missingTablespaces(source, target))],
  };
}

/** What lies in a tablespace that the target lacks goes where its database is (make-object.ts). */
async function missingTablespaces(source: Session, target: Session): Promise<Problem[]> {
  const used = await source.query<{ name: string }>(tablespaces);
  const there = await target.query<{ name: string }>(
    sql("schema.tablespaces", "select spcname::text as name from pg_catalog.pg_tablespace"),
  );
  const names = new Set(there.map(({ name }) => name));
  return used
    .filter(({ name }) => !names.has(name))
    .map(({ name }) => ({
      grade: "warning",
      db: target.name,
      what: `there is no tablespace ${name}: what is in it goes to the default one`,
      remedy: `Create it before, if it shall be: create tablespace ${quoteIdent(name)} location '...';`,
    }));
}
