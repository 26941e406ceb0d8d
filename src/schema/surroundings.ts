import type { Problem } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { compareExtensions, readAvailableExtensions, readExtensions } from "./extensions.ts";
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
export async function surroundings(source: Session, target: Session, withRoles: boolean): Promise<Surroundings> {
  const { database, superuser } = await target.one<Place>(
    sql(
      "schema.place-of-target",
      "select current_database()::text as database, rolsuper as superuser from pg_catalog.pg_roles where rolname = current_user",
    ),
  );
  const context = { db: target.name, targetVersion: target.serverVersion, superuser };
  const [here, there] = [await readRoles(source), await readRoles(target)];
  const roles = planRoles(here, there, { ...context, wanted: await rolesOfDatabase(source) });
  const extensions = compareExtensions(await readExtensions(source), await readAvailableExtensions(target), target.name);
  return {
    before: withRoles ? roles.objects : [],
    after: await readDatabaseSettings(source, database),
    notes: [...(withRoles ? roles.problems : []), ...extensions],
  };
}
