import { reach } from "../base/point.ts";
import { displayName } from "../model/name.ts";
import { interruptible } from "../postgres/cancel.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { rollbackQuietly } from "../postgres/transaction.ts";
import { readIdentity } from "../replicate/identity.ts";
import { lockTarget } from "../replicate/lock.ts";
import type { Member } from "../replicate/member.ts";
import { cutPiece } from "./cut.ts";
import { emptyTable } from "./fill.ts";
import { holdPart, type Part } from "./hold.ts";
import type { LinkedTable } from "./link.ts";
import type { CopyOptions } from "./options.ts";
import { claimPiece, recordDone, recordGone, recordSent, type Piece } from "./piece.ts";
import type { ProgressBook } from "./progress.ts";
import { transfer, type Moved } from "./transfer.ts";

export type Worker = {
  readonly options: CopyOptions;
  readonly links: ReadonlyMap<string, LinkedTable>;
  readonly source: Session;
  readonly target: Member;
  readonly signal: AbortSignal;
  readonly progress: ProgressBook;
  readonly pace: ((bytes: number) => number) | undefined;
};

/**
 * One piece: a transaction on either side, which both end with it.
 *
 *   target  begin, lock ─┐                              ┌ commit ─┐
 *   source               └ snapshot, claim, hold, COPY ─ "sent" ──┘└ "done"
 *
 * The lock of the sync, shared among pieces, is confirmed before the snapshot is taken: a run waits for pieces, and a piece for a run (hazard 3).
 * "sent" carries the target's transaction and is durable before that commits; whoever finds it later asks the target what became of it (hazard 7).
 */
export async function copyNext(worker: Worker): Promise<"done" | "nothing"> {
  const { source, target } = worker;
  try {
    await target.session.execute(sql("copy.begin-target", "begin isolation level read committed"));
    await lockTarget(target.session, worker.options.sync, "piece");
    await source.execute(sql("copy.begin-source", "begin isolation level repeatable read"));
    const piece = await claimPiece(source, worker.options);
    if (piece === null) return "nothing";
    await reach("copy.piece-claimed");
    await copyClaimed(worker, piece);
    return "done";
  } finally {
    await rollbackQuietly(source);
    await rollbackQuietly(target.session);
  }
}

async function copyClaimed(worker: Worker, piece: Piece): Promise<void> {
  const { source, options } = worker;
  const table = worker.links.get(displayName(piece.name))!;
  if (piece.part === 0) {
    await emptyTable(worker.target.session, table);
    return await land(worker, piece, { rows: 0, bytes: 0 });
  }
  const part = await holdPart(source, piece);
  if (part === null) {
    await recordGone(source, piece);
    return;
  }
  if (!piece.final && table.link.key !== null) {
    await interruptible(worker.signal, source, () => cutPiece(source, piece, part, table.link, options.pieceBytes));
    await source.execute(sql("copy.commit-cut", "commit"));
    await reach("copy.piece-cut");
    return;
  }
  await land(worker, piece, await fetch(worker, piece, part, table));
}

async function fetch(worker: Worker, piece: Piece, part: Part, table: LinkedTable): Promise<Moved> {
  const { source, target, signal, pace } = worker;
  // Of many pieces each would read the whole table where statistics are missing.
  if (piece.lower !== null || piece.upper !== null) await source.execute(sql("copy.use-index", "set local enable_seqscan = off"));
  using entry = worker.progress.begin(piece);
  const moved = await transfer({ source, target, table, piece, part, signal, pace, onBytes: (bytes, rows) => entry.moved(bytes, rows) });
  await reach("copy.piece-sent");
  return moved;
}

async function land({ source, target, progress }: Worker, piece: Piece, moved: Moved): Promise<void> {
  const { xid, lsn } = await target.session.one<{ xid: number; lsn: string }>(
    sql("copy.target-xid", "select txid_current() as xid, (pg_current_wal_lsn() - '0/0'::pg_lsn)::text as lsn"),
  );
  await recordSent(source, piece, { identity: { ...(await readIdentity(target.session)), lsn }, xid, ...moved });
  await source.execute(sql("copy.commit-source", "commit"));
  await reach("copy.piece-recorded");
  await target.session.execute(sql("copy.commit-target", "commit"));
  await reach("copy.piece-committed");
  const ended = await recordDone(source, piece, xid);
  progress.done(piece, moved, ended);
  await reach("copy.piece-done");
}
