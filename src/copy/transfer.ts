import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { interruptible } from "../postgres/cancel.ts";
import { copyBetween } from "../postgres/copy.ts";
import { sqlstateOf, toBucardoError } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql, type Statement } from "../postgres/sql.ts";
import type { Member } from "../replicate/member.ts";
import { emptyTable } from "./fill.ts";
import type { Part } from "./hold.ts";
import type { LinkedTable } from "./link.ts";
import type { Piece } from "./piece.ts";
import { createStageText, deleteStagedText, insertText, readText, writeStageText, writeText } from "./text.ts";

export type Transfer = {
  readonly source: Session;
  readonly target: Member;
  readonly table: LinkedTable;
  readonly piece: Piece;
  readonly part: Part;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number, rows: number) => void;
  readonly pace: ((bytes: number) => number) | undefined;
};

export type Moved = { readonly rows: number; readonly bytes: number };

/** Rows of one piece from the snapshot of the source's transaction into the target's, from socket to socket. */
export async function transfer(job: Transfer): Promise<Moved> {
  try {
    const { piece, table, target } = job;
    if (piece.fill !== "refill" && (piece.again || piece.fill === "stage")) return await throughStage(job);
    const freeze = piece.fill === "refill" && (await emptyTable(target.session, table));
    return await stream(job, sql("copy.write", writeText(table.link, freeze)));
  } catch (error) {
    throw misread(toBucardoError(error, { table: displayName(job.piece.name) }), job);
  }
}

/** protocol_violation: what a server says of a binary value of another type, as after ALTER COLUMN TYPE on one side. */
function misread(error: BucardoError, { target, piece }: Transfer): BucardoError {
  if (sqlstateOf(error) !== "08P01") return error;
  const table = displayName(piece.name);
  return new BucardoError("schema-mismatch", `columns of ${table} are not what they were when its copy began`, {
    db: target.session.name,
    table,
    sqlstate: "08P01",
    cause: error,
  });
}

/** Into a table with unique indexes; or a second time, because nobody knows whether the first time it arrived. */
async function throughStage(job: Transfer): Promise<Moved> {
  const { target, table, piece, signal } = job;
  await target.session.execute(sql("copy.create-stage", createStageText(table.link)));
  const moved = await stream(job, sql("copy.write-stage", writeStageText(table.link)));
  await reach("copy.piece-staged");
  await interruptible(signal, target.session, async () => {
    if (piece.again) await target.session.execute(sql("copy.delete-staged", deleteStagedText(table.link)));
    await target.session.execute(sql("copy.insert", insertText(table.link, piece.fill === "stage")));
  });
  return moved;
}

async function stream({ source, target, table, piece, part, signal, onBytes, pace }: Transfer, into: Statement): Promise<Moved> {
  const { sent, bytes } = await copyBetween({
    from: source,
    fromText: sql("copy.read", readText(table.link, part, piece)),
    to: target.session,
    toText: into,
    signal,
    onBytes,
    pace,
    table: displayName(piece.name),
  });
  return { rows: sent, bytes };
}
