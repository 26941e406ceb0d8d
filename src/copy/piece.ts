import type { QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Identity } from "../replicate/definition.ts";
import type { Fill } from "./fill.ts";
import type { KeyRange } from "./key-range.ts";
import type { CopyOptions } from "./options.ts";

/** A piece that a worker has claimed. */
export type Piece = KeyRange & {
  readonly table: number;
  readonly number: number;
  readonly rank: number;
  readonly name: QualifiedName;
  readonly fill: Fill;
  readonly captured: number | null;
  /** What is read; 0: nothing, the target's table is emptied. */
  readonly part: number;
  readonly bytesExpected: number;
  readonly final: boolean;
  readonly again: boolean;
};

export type PieceName = { readonly table: number; readonly number: number };

type Wanted = Pick<CopyOptions, "sync" | "target">;

/**
 * The first statement of a piece's REPEATABLE READ transaction: takes its snapshot, and locks the piece until the transaction ends, so that nobody else
 * takes it and a worker that dies gives it back. Null: none is waiting. Errors: serialization, when somebody was quicker.
 */
export async function claimPiece(source: Session, { sync, target }: Wanted): Promise<Piece | null> {
  type Row = Omit<Piece, "name" | "bytesExpected"> & { schema: string; table_name: string; bytes_expected: number };
  const [row] = await source.query<Row>(
    sql(
      "copy.claim",
      `select p.copy_table as table, p.number, p.rank, t.schema_name as schema, t.table_name, t.fill, t.captured_table as captured, p.part,
              p.lower_bound as lower, p.upper_bound as upper, p.bytes_expected, p.final, p.again
         from bucardo.copy_piece p join bucardo.copy_table t on t.id = p.copy_table
        where t.sync = $1 and t.target = $2 and p.state = 'waiting'
        order by p.rank, p.copy_table, p.number limit 1
          for update of p skip locked`,
      [sync.id, target],
    ),
  );
  if (row === undefined) return null;
  const { schema, table_name, bytes_expected, ...piece } = row;
  return { ...piece, name: { schema, name: table_name }, bytesExpected: bytes_expected };
}

/** Written before the target commits: after a crash its transaction tells whether the piece arrived (hazard 7). */
export async function recordSent(
  source: Session,
  piece: Piece,
  sent: { readonly identity: Identity; readonly xid: number; readonly rows: number; readonly bytes: number },
): Promise<void> {
  await source.execute(
    sql(
      "copy.record-sent",
      "update bucardo.copy_piece set state = 'sent', target_identity = $3, target_xid = $4, rows = $5, bytes = $6 where copy_table = $1 and number = $2",
      [piece.table, piece.number, JSON.stringify(sent.identity), sent.xid, sent.rows, sent.bytes],
    ),
  );
}

/** The piece has arrived. With the one that empties the table the others begin; with the last one the table joins the runs: true. */
export async function recordDone(source: Session, piece: PieceName, xid: number): Promise<boolean> {
  await source.execute(
    sql(
      "copy.record-done",
      `with done as (
         update bucardo.copy_piece set state = 'done', done_at = clock_timestamp()
          where copy_table = $1 and number = $2 and state = 'sent' and target_xid = $3 returning copy_table, part)
       update bucardo.copy_piece p set state = 'waiting' from done d where d.part = 0 and p.copy_table = d.copy_table and p.state = 'held'`,
      [piece.table, piece.number, xid],
    ),
  );
  return (await joinComplete(source, piece.table)) > 0;
}

/** A partition that left the table since the copy was planned has nothing to bring. Ends the transaction that holds the piece. */
export async function recordGone(source: Session, piece: PieceName): Promise<void> {
  await source.execute(
    sql(
      "copy.record-gone",
      "update bucardo.copy_piece set state = 'done', done_at = clock_timestamp(), rows = 0, bytes = 0 where copy_table = $1 and number = $2",
      [piece.table, piece.number],
    ),
  );
  await source.execute(sql("copy.commit-gone", "commit"));
  await joinComplete(source, piece.table);
}

/**
 * Only now may a run touch the table (hazard 13): its changes count from the snapshot that was taken before the first piece, and its shape of then tells
 * what became of it meanwhile. A copy that was asked for since stays asked for. Returns how many tables joined.
 */
export async function joinComplete(source: Session, table: number | Wanted): Promise<number> {
  const { ended } = await source.one<{ ended: number }>(
    sql(
      "copy.join",
      `with ended as (
         update bucardo.copy_table t set ended_at = clock_timestamp()
          where (t.id = $1 or t.sync = $2 and t.target = $3) and t.ended_at is null
            and not exists (select from bucardo.copy_piece p where p.copy_table = t.id and p.state <> 'done')
         returning *),
       began as (
         update bucardo.checkpoint c set snapshot = e.since, taken_at = e.began_at
           from ended e where c.sync = e.sync and c.target = e.target and c.snapshot is null),
       joined as (
         update bucardo.subscription s set joined = true, since = e.since, shape = e.shape
           from ended e where s.sync = e.sync and s.target = e.target and s.captured_table = e.captured_table)
       select count(*)::int as ended from ended`,
      typeof table === "number" ? [table, null, null] : [null, table.sync.id, table.target],
    ),
  );
  return ended;
}

/** Its transaction on the target never was, or nobody knows any more. */
export async function recordLost(source: Session, piece: PieceName, xid: number, again: boolean): Promise<void> {
  await source.execute(
    sql(
      "copy.record-lost",
      `update bucardo.copy_piece set state = 'waiting', again = again or $4, target_identity = null, target_xid = null, rows = null, bytes = null
        where copy_table = $1 and number = $2 and state = 'sent' and target_xid = $3`,
      [piece.table, piece.number, xid, again],
    ),
  );
}

/** Pieces that have not arrived yet. */
export async function countUnfinished(source: Session, { sync, target }: Wanted): Promise<number> {
  const { unfinished } = await source.one<{ unfinished: number }>(
    sql(
      "copy.unfinished",
      `select count(*)::int as unfinished from bucardo.copy_piece p join bucardo.copy_table t on t.id = p.copy_table
        where t.sync = $1 and t.target = $2 and p.state <> 'done'`,
      [sync.id, target],
    ),
  );
  return unfinished;
}
