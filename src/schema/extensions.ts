import type { Problem } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import { sql } from "../postgres/sql.ts";
import { placeMatcher } from "./object-pattern.ts";

export type Extension = { readonly name: string; readonly version: string; readonly schema: string };

/** Installed ones. */
export function readExtensions(session: Session): Promise<Extension[]> {
  return session.query<Extension>(
    sql(
      "schema.extensions",
      `select e.extname::text as name, e.extversion as version, n.nspname::text as schema
         from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace order by e.extname::text collate "C"`,
    ),
  );
}

export type AvailableExtension = {
  readonly name: string;
  readonly defaultVersion: string | null;
  readonly installed: string | null;
  readonly comment: string | null;
};

/** What the server can install in this database, by name; null when it cannot tell, because it cannot read the file of one of them. */
export async function readAvailableExtensions(session: Session): Promise<Map<string, AvailableExtension> | null> {
  try {
    const rows = await session.query<AvailableExtension>(availableStatement);
    return new Map(rows.map((row) => [row.name, row]));
  } catch (error) {
    if (sqlstateOf(error) === null) throw error;
    return null;
  }
}

const availableStatement = sql(
  "schema.available-extensions",
  `select name::text, default_version as "defaultVersion", installed_version as installed, comment from pg_catalog.pg_available_extensions`,
);

/** Gone with a major version, with what to do. */
const gone: Readonly<Record<string, string>> = {
  adminpack: "It served pgAdmin 3; since 17 there is none: drop extension adminpack;",
  old_snapshot: "It went with old_snapshot_threshold in 17: drop extension old_snapshot;",
  chkpass: "Since 11 there is none: change the columns to text.",
  tsearch2: "Since 10 there is none: its functions are in the core.",
  plpythonu: "Python 2 is gone since 15: rewrite the functions for plpython3u.",
  plpython2u: "Python 2 is gone since 15: rewrite the functions for plpython3u.",
};

/** Extensions that the target lacks (errors) or has in another version (warnings). Pure. */
export function compareExtensions(
  source: readonly Extension[],
  available: ReadonlyMap<string, AvailableExtension> | null,
  db: string,
  skip: readonly string[] = [],
): Problem[] {
  const isSkipped = placeMatcher(skip);
  if (available === null)
    return source
      .filter(({ name }) => name !== "plpgsql" && !isSkipped(name))
      .map(({ name, version }) => ({
        grade: "warning",
        db,
        what: `whether extension ${name} ${version} is available there cannot be told: the server cannot read the file of some extension`,
        remedy: "See its log for `select * from pg_available_extensions`.",
      }));
  return source.flatMap(({ name, version }): Problem[] => {
    if (isSkipped(name)) return [];
    const there = available.get(name);
    if (there === undefined) {
      return [
        {
          grade: "error",
          db,
          what: `extension ${name} ${version} is not available there`,
          remedy:
            gone[name] ??
            `Install its package on that server, or drop the extension on the old side, or leave it out: --skip-object 'EXTENSION ${name}'`,
        },
      ];
    }
    const arrives = there.installed ?? there.defaultVersion;
    if (arrives === version || arrives === null) return [];
    return [
      {
        grade: "warning",
        db,
        what: `extension ${name} is ${version} here and will be ${arrives} there`,
        remedy: "Read its release notes.",
      },
    ];
  });
}
