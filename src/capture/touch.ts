import { chunks } from "../base/chunks.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { deltaTable } from "./name.ts";

/** Keys that travel in one statement. */
const AT_ONCE = 5000;

/**
 * Says of keys that they changed, though they did not: the next run of every sync that captures the table sends their rows as they are then, or deletes them.
 * Values as text, in the order of the key's columns. Errors: checkpoint-missing (nobody captures the table).
 */
export async function touchKeys(source: Session, table: QualifiedName, keys: readonly (readonly string[])[]): Promise<void> {
  const [captured] = await source.query<{ id: number; generation: number; types: string[] }>(
    sql(
      "capture.touched-table",
      `select t.id, t.generation, t.key_types as types from bucardo.captured_table t join pg_class c on c.oid = t.relation
         join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2`,
      [table.schema, table.name],
    ),
  );
  if (captured === undefined)
    throw new BucardoError("checkpoint-missing", `${displayName(table)} is not captured on ${source.name}`, {
      db: source.name,
      table: displayName(table),
    });
  const { id, generation, types } = captured;
  const names = types.map((_, index) => `k${index + 1}`);
  // Should the table of this generation be retired meanwhile, runs read it all the same.
  const text = `insert into ${quoteName(deltaTable(id, generation))} (xid, ${names.join(", ")})
    select pg_catalog.txid_current(), ${names.map((name, index) => `k.${name}::${types[index]}`).join(", ")}
      from unnest(${names.map((_, index) => `$${index + 1}::text[]`).join(", ")}) as k (${names.join(", ")})`;
  for (const some of chunks(keys, AT_ONCE)) {
    await source.execute(
      sql(
        "capture.touch",
        text,
        names.map((_, index) => some.map((key) => key[index])),
      ),
    );
  }
}
