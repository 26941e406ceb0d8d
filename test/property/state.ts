import type pg from "pg";
import type { Table } from "./schema.ts";

/**
 * Rows of each table as sorted texts. Absent is a table that cannot be looked at: somebody holds it ACCESS EXCLUSIVE, or it was truncated or rewritten
 * after the snapshot, which shows it empty.
 */
export type State = ReadonlyMap<string, readonly string[]>;

/** The committed state of a database, or, with the name of an exported snapshot, what that snapshot sees. */
export async function readState(client: pg.Client, tables: readonly Table[], snapshot: string | null): Promise<State> {
  await client.query("begin isolation level repeatable read read only");
  if (snapshot !== null) await client.query(`set transaction snapshot '${snapshot}'`);
  await client.query("set local lock_timeout = '10ms'; set local extra_float_digits = 3; set local timezone = 'UTC'");
  const state = new Map<string, string[]>();
  for (const table of tables) {
    await client.query("savepoint look");
    try {
      const only = table.partition ? "" : "only ";
      const { rows } = await client.query<{ row: string }>(`select t::text as row from ${only}${table.sql} t order by t::text collate "C"`);
      if (await isAsInSnapshot(client, table)) {
        state.set(
          table.sql,
          rows.map(({ row }) => row),
        );
      }
    } catch (error) {
      if ((error as { code?: string }).code !== "55P03") throw error;
      await client.query("rollback to savepoint look");
    }
  }
  await client.query("commit");
  return state;
}

/** The parts that the snapshot knows have the files that it knows. */
async function isAsInSnapshot(client: pg.Client, table: Table): Promise<boolean> {
  const { rows } = await client.query<{ same: boolean }>(
    `with recursive member (oid) as (
       select $1::regclass::oid
       union all
       select i.inhrelid from member m join pg_class c on c.oid = m.oid and c.relkind = 'p' join pg_inherits i on i.inhparent = m.oid
     )
     select bool_and(c.relkind = 'p' or c.relfilenode is not distinct from pg_relation_filenode(c.oid)) as same from member m join pg_class c on c.oid = m.oid`,
    [table.sql],
  );
  return rows[0]!.same;
}

/** How a target differs from what it should be, as lines of text; empty when it does not. */
export function differences(expected: State, found: State): string[] {
  return [...expected].flatMap(([table, rows]) => {
    const there = found.get(table) ?? [];
    const missing = rows.filter((row) => !there.includes(row)).map((row) => `${table}: missing on the target: ${row.slice(0, 200)}`);
    const extra = there.filter((row) => !rows.includes(row)).map((row) => `${table}: only on the target: ${row.slice(0, 200)}`);
    if (missing.length + extra.length === 0 && rows.length !== there.length)
      return [`${table}: ${rows.length} rows, ${there.length} on the target`];
    return [...missing, ...extra];
  });
}
