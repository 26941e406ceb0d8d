import { readFile } from "node:fs/promises";
import { ensureCaptureSchema, lockCapture } from "../capture/schema.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";

/** Makes our tables on a source, once. Capture's own schema comes first: it refuses what is called bucardo and is not ours. */
export async function ensureCopySchema(source: Session): Promise<void> {
  await ensureCaptureSchema(source);
  await transaction(source, {}, async () => {
    await lockCapture(source);
    if (await hasCopySchema(source)) return;
    await source.script(sql("copy.schema", await readFile(new URL("../../sql/copy/0001-initial.sql", import.meta.url), "utf8")));
  });
}

/** A copy has left something on this source. */
export async function hasCopySchema(source: Session): Promise<boolean> {
  const { there } = await source.one<{ there: boolean }>(
    sql("copy.schema-there", "select to_regclass('bucardo.copy_table') is not null as there"),
  );
  return there;
}
