import { BucardoError } from "../model/error.ts";
import type { PerlInstallation, PerlRow } from "../model/perl.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { quoteIdent } from "../postgres/quote.ts";

/**
 * Reads the control database of the Perl program; changes nothing there. Columns came and went with its releases, so rows are read whole. Errors:
 * not-installed when there is none.
 */
export async function readPerl(session: Session): Promise<PerlInstallation> {
  const settings = await rowsOf(session, "bucardo_config");
  if (settings === null)
    throw new BucardoError("not-installed", `Database "${session.name}" is no control database of Bucardo 4 or 5.`, {
      advice: "Give the database that `bucardo install` of the Perl program made; it is usually called bucardo.",
    });
  const all = async (table: string): Promise<PerlRow[]> => (await rowsOf(session, table)) ?? [];
  const syncs = await all("sync");
  const release = settings.find((row) => (row["name"] ?? row["setting"]) === "bucardo_version");
  return {
    // Version 4 has setting and value, version 5 name and setting.
    version: settings.some((row) => "name" in row) ? 5 : 4,
    release: release === undefined ? null : JSON.stringify(release["value"] ?? release["setting"]).replaceAll('"', ""),
    settings,
    databases: await all("db"),
    dbgroups: await all("dbgroup"),
    dbmap: await all("dbmap"),
    goats: await all("goat"),
    herds: await all("herd"),
    herdmap: await all("herdmap"),
    syncs,
    customcodes: await all("customcode"),
    customcodeMap: await all("customcode_map"),
    customnames: await all("customname"),
    customcols: await all("customcols"),
  };
}

/** Null: there is no such table. */
async function rowsOf(session: Session, table: string): Promise<PerlRow[] | null> {
  const { there } = await session.one<{ there: boolean }>(
    sql("perl.has-table", "select to_regclass($1) is not null as there", [`bucardo.${table}`]),
  );
  if (!there) return null;
  const rows = await session.query<{ row: PerlRow }>(sql("perl.rows", `select row_to_json(t) as row from bucardo.${quoteIdent(table)} t`));
  return rows.map(({ row }) => row);
}
