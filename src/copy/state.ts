import type { QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { hasCopySchema } from "./schema.ts";

/** How far the copy of one table is, as its source knows it: pieces under way are not counted. */
export type TableState = {
  readonly name: QualifiedName;
  readonly done: boolean;
  readonly pieces: number;
  readonly piecesDone: number;
  readonly rows: number;
  /** Of the streams. */
  readonly bytes: number;
  /** On the source's disk when the copy began, and of that what has arrived. */
  readonly diskBytes: number;
  readonly diskBytesDone: number;
  readonly beganAt: Date;
  readonly endedAt: Date | null;
};

type Wanted = { readonly sync: { readonly id: string }; readonly target: string };

/** All tables that are or were copied for this target, the biggest first; empty where no copy was. Any process may ask at any time. */
export async function readCopyState(source: Session, { sync, target }: Wanted): Promise<TableState[]> {
  if (!(await hasCopySchema(source))) return [];
  const rows = await source.query<Omit<TableState, "name"> & QualifiedName>(
    sql(
      "copy.state",
      `select t.schema_name as schema, t.table_name as name, t.ended_at is not null as done, t.bytes as "diskBytes", t.began_at as "beganAt", t.ended_at as "endedAt",
              count(p.number)::int as pieces, (count(*) filter (where p.state = 'done'))::int as "piecesDone",
              coalesce(sum(p.rows) filter (where p.state = 'done'), 0)::bigint as rows, coalesce(sum(p.bytes) filter (where p.state = 'done'), 0)::bigint as bytes,
              coalesce(sum(p.bytes_expected) filter (where p.state = 'done'), 0)::bigint as "diskBytesDone"
         from bucardo.copy_table t left join bucardo.copy_piece p on p.copy_table = t.id
        where t.sync = $1 and t.target = $2
        group by t.id order by t.bytes desc, t.id`,
      [sync.id, target],
    ),
  );
  return rows.map(({ schema, name, ...state }) => ({ name: { schema, name }, ...state }));
}

/**
 * Forgets what was copied, of these tables or of all: the next copy begins anew with them. Their subscriptions stay out of runs if they were, and no
 * worker may be at them.
 */
export async function resetCopy(source: Session, { sync, target }: Wanted, tables?: readonly QualifiedName[]): Promise<void> {
  if (!(await hasCopySchema(source))) return;
  await source.execute(
    sql(
      "copy.reset",
      `delete from bucardo.copy_table t
        where t.sync = $1 and t.target = $2 and ($3::text[] is null or (t.schema_name, t.table_name) in (select * from unnest($3::text[], $4::text[])))`,
      [sync.id, target, tables?.map((table) => table.schema) ?? null, tables?.map((table) => table.name) ?? null],
    ),
  );
}

/** Forgets the copy of this target, and takes our tables away with the last one; the schema itself goes with capture. */
export async function dropCopyState(source: Session, wanted: Wanted): Promise<void> {
  if (!(await hasCopySchema(source))) return;
  await resetCopy(source, wanted);
  await transaction(source, {}, async () => {
    await source.script(sql("copy.drop-lock", "lock table bucardo.copy_table in access exclusive mode"));
    const { used } = await source.one<{ used: boolean }>(sql("copy.used", "select exists (select from bucardo.copy_table) as used"));
    if (!used) await source.script(sql("copy.drop", "drop table bucardo.copy_piece, bucardo.copy_table"));
  });
}
