import { randomBytes } from "node:crypto";
import pg from "pg";
import type { TestDatabase } from "./database.ts";

const batchRows = 20_000;

/**
 * Stands in for `pg_dump --data-only -t table | psql`, where those are missing: all rows of a table as one snapshot sees them, as text.
 * The table must exist on both sides with the same columns. Gives the number of rows.
 */
export async function copyRows(source: TestDatabase, target: TestDatabase, table: string): Promise<number> {
  const asText = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;
  const from = await source.client({ application_name: "copyRows", types: asText });
  const to = await target.client({ application_name: "copyRows" });
  try {
    const { names, types } = await columnsOf(to, table);
    const values = names.map((_, index) => `$${index + 1}::text[]`).join(", ");
    const aliases = names.map((_, index) => `c${index}`);
    const casts = aliases.map((alias, index) => `${alias}::${types[index]}`).join(", ");
    const insert = `insert into ${table} (${names.join(", ")}) select ${casts} from unnest(${values}) u (${aliases.join(", ")})`;

    const cursor = `copy_${randomBytes(4).toString("hex")}`;
    await from.query("begin isolation level repeatable read read only");
    await from.query(`declare ${cursor} cursor for select ${names.map((name) => `${name}::text`).join(", ")} from ${table}`);
    await to.query("begin");
    let total = 0;
    for (;;) {
      const { rows } = await from.query<(string | null)[]>({ text: `fetch ${batchRows} from ${cursor}`, rowMode: "array" });
      if (rows.length === 0) break;
      await to.query(
        insert,
        names.map((_, column) => rows.map((row) => row[column])),
      );
      total += rows.length;
    }
    await to.query("commit");
    await from.query("commit");
    return total;
  } finally {
    await Promise.all([from.end(), to.end()]);
  }
}

async function columnsOf(client: pg.Client, table: string): Promise<{ names: string[]; types: string[] }> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );
  return { names: rows.map(({ name }) => pg.escapeIdentifier(name)), types: rows.map(({ type }) => type) };
}
