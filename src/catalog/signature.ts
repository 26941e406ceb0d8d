import { createHash } from "node:crypto";
import { chooseKey, type Keyed } from "./key.ts";

/**
 * A short text that changes when names, types, numbers or collations of the columns, or the key (`wanted`, else the
 * automatic choice) change. Defaults, checks and privileges leave it as it is.
 */
export function signatureOf(table: Keyed, wanted: readonly string[] | null): string {
  const columns = table.columns.map((column) => [
    column.number,
    column.name,
    column.type,
    column.typeOid,
    column.collation,
    column.generated,
  ]);
  const key = wanted ?? chooseKey(table, null)?.columns ?? null;
  return createHash("sha256")
    .update(JSON.stringify([columns, key]))
    .digest("base64url")
    .slice(0, 22);
}
