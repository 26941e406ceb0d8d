import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** One file of sql/control: `0001-initial.sql`. */
export type Migration = { readonly version: number; readonly name: string; readonly text: string };

/** The migrations this program brings, in order. */
export function migrations(): Migration[] {
  const folder = fileURLToPath(new URL("../../sql/control/", import.meta.url));
  return readdirSync(folder)
    .filter((file) => /^\d{4}-.*\.sql$/.test(file))
    .toSorted()
    .map((file) => ({ version: Number(file.slice(0, 4)), name: file.slice(5, -4), text: readFileSync(`${folder}${file}`, "utf8") }));
}

/** The version of the control schema; null when there is none. */
export async function schemaVersion(session: Session): Promise<number | null> {
  const { present } = await session.one<{ present: boolean }>(
    sql("control.schema-present", "select pg_catalog.to_regclass('bucardo.schema_version') is not null as present"),
  );
  if (!present) return null;
  const { version } = await session.one<{ version: number | null }>(
    sql("control.schema-version", "select pg_catalog.max(v.version) as version from bucardo.schema_version v"),
  );
  return version;
}

/** Refuses a control database whose schema this program cannot work with: not-installed, schema-older, schema-newer. */
export async function checkSchema(session: Session): Promise<void> {
  const found = await schemaVersion(session);
  const ours = migrations().at(-1)?.version ?? 0;
  if (found === null) throw new BucardoError("not-installed", "The control database has no Bucardo schema.");
  if (found < ours) throw new BucardoError("schema-older", `The control schema has version ${found}, this program needs ${ours}.`);
  refuseNewer(found, ours);
}

/** Applies what is missing, all in one transaction; returns what was applied. The caller is in a transaction. */
export async function migrateSchema(session: Session): Promise<Migration[]> {
  const found = (await schemaVersion(session)) ?? 0;
  refuseNewer(found, migrations().at(-1)?.version ?? 0);
  const { absent } = await session.one<{ absent: boolean }>(
    sql("control.schema-absent", "select to_regnamespace('bucardo') is null as absent"),
  );
  if (absent) await session.script(sql("control.schema-create", "create schema bucardo"));
  const missing = migrations().filter((each) => each.version > found);
  for (const each of missing) {
    await session.script(sql(`control.migrate-${each.version}`, each.text));
    await session.execute(
      sql("control.migrated", "insert into bucardo.schema_version (version, name) values ($1, $2)", [each.version, each.name]),
    );
  }
  return missing;
}

function refuseNewer(found: number, ours: number): void {
  if (found > ours) throw new BucardoError("schema-newer", `The control schema has version ${found}, this program knows ${ours}.`);
}
