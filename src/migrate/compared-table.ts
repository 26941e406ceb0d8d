import { readCopyState } from "../copy/state.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { TablePrint } from "../verify/table-hash.ts";
import { NEW, syncOf } from "./move.ts";
import type { MovedTable } from "./selection.ts";
import type { Migration } from "./state.ts";

/** A table of a move with what was copied of it, and what the comparison found. */
export type ComparedTable = {
  readonly table: string;
  readonly handling: MovedTable["handling"];
  readonly key: readonly string[] | null;
  /** On the old side's disk when the move began. */
  readonly bytes: number;
  /** Rows that the copy brought; null: it was not copied, or not yet. */
  readonly copied: number | null;
  /** Null: not compared, as those are that are copied while writers wait. */
  readonly compared: (TablePrint & { readonly at: Date }) | null;
};

/** All tables of a move, the largest first. */
export async function readComparedTables(old: Session, migration: Migration): Promise<ComparedTable[]> {
  const prints = await readPrints(old);
  const states = await readCopyState(old, { sync: syncOf(migration), target: NEW });
  const copies = new Map(states.map(({ name, rows }) => [displayName(name), rows]));
  return (migration.relations?.tables ?? []).map((moved) => {
    const table = displayName(moved);
    return {
      table,
      handling: moved.handling,
      key: moved.key,
      bytes: moved.bytes,
      copied: copies.get(table) ?? null,
      compared: prints.get(table) ?? null,
    };
  });
}

export async function rememberPrint(old: Session, { schema, name }: QualifiedName, print: TablePrint): Promise<void> {
  await old.execute(
    sql(
      "migrate.remember-print",
      `insert into bucardo.migration_table as t (schema_name, table_name, rows, hash, on_the_way) values ($1, $2, $3, $4, $5)
       on conflict (schema_name, table_name)
       do update set rows = excluded.rows, hash = excluded.hash, on_the_way = excluded.on_the_way, at = excluded.at
        where (t.rows, t.hash, t.on_the_way) is distinct from (excluded.rows, excluded.hash, excluded.on_the_way)`,
      [schema, name, print.rows, print.hash, print.onTheWay],
    ),
  );
}

/** By displayed name; empty where an older version began the move. */
async function readPrints(old: Session): Promise<Map<string, TablePrint & { readonly at: Date }>> {
  const { present } = await old.one<{ present: boolean }>(
    sql("migrate.prints-there", "select pg_catalog.to_regclass('bucardo.migration_table') is not null as present"),
  );
  if (!present) return new Map();
  const rows = await old.query<QualifiedName & TablePrint & { at: Date }>(
    sql(
      "migrate.prints",
      `select schema_name as schema, table_name as name, rows, hash, on_the_way as "onTheWay", at from bucardo.migration_table`,
    ),
  );
  return new Map(rows.map(({ schema, name, ...print }) => [displayName({ schema, name }), print]));
}
