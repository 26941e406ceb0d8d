import { backoff } from "../base/backoff.ts";
import { reach } from "../base/point.ts";
import { sleep } from "../base/sleep.ts";
import { holdRelation } from "../copy/hold.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { parseSnapshot } from "../model/snapshot.ts";
import { interruptible } from "../postgres/cancel.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { rollbackQuietly, transaction } from "../postgres/transaction.ts";
import { compareTable } from "./compare-table.ts";
import { sliceOf } from "./cut-table.ts";
import type { Difference } from "./difference.ts";
import { lookUp } from "./look-up.ts";
import { differs } from "./not-equal.ts";
import { claimProofPiece, recordShown, replacePieces, type ProofPiece } from "./proof-piece.ts";
import type { ProvenTable } from "./proven-table.ts";
import type { TablePrint } from "./table-hash.ts";
import { touchedAmong } from "./touched.ts";

export type Pair = { readonly source: Session; readonly target: Session };

/** What all streams of a proof share. */
export type PieceWork = {
  /** Of the proof. */
  readonly sync: string;
  readonly open: () => Promise<Pair>;
  /** By capture number. */
  readonly tables: ReadonlyMap<number, ProvenTable>;
  /** A run that begins after the call. */
  readonly advance: () => Promise<unknown>;
  readonly paused: () => boolean;
  readonly followedKeys: number;
  readonly signal: AbortSignal;
  /** Pieces that streams of this process are busy with. */
  readonly taken: Set<number>;
  /** Pieces that were found different once: they are looked at again from the beginning before anybody is told. */
  readonly accused: Set<number>;
  readonly shown: (piece: ProofPiece, rows: number) => void;
};

/** Failures in a row, of the kind that passes by itself, after which a stream gives up: some minutes. */
const ATTEMPTS = 12;
const PAUSED_MS = 200;
/** Keys that are looked up at once. */
const AT_ONCE = 5000;

/** Looks at pieces until none waits. Errors: not-equal, and those that do not pass. */
export async function lookAtPieces(work: PieceWork): Promise<void> {
  let pair: Pair | null = null;
  try {
    for (let failures = 0; ;) {
      work.signal.throwIfAborted();
      try {
        while (work.paused()) await sleep(PAUSED_MS, work.signal);
        pair ??= await work.open();
        if (!(await lookAtNext(work, pair))) return;
        failures = 0;
      } catch (error) {
        work.signal.throwIfAborted();
        if (!(error instanceof BucardoError) || error.retry === "never" || ++failures >= ATTEMPTS) throw error;
        if (error.retry === "backoff" && error.code !== "lock-timeout") {
          await closePair(pair);
          pair = null;
        }
        await sleep(error.retry === "now" && failures < 5 ? 0 : backoff(failures), work.signal);
      }
    }
  } finally {
    await closePair(pair);
  }
}

async function closePair(pair: Pair | null): Promise<void> {
  await pair?.source.close();
  await pair?.target.close();
}

/**
 * One piece. Both sides hash it, each in a snapshot that lives as long as that; what differs there is then followed key by key. A row that nobody touches is the
 * same on either side all the time, so when it is equal in these snapshots it is equal. A row that somebody touches after the proof has begun is none of
 * ours: the proof looks at it by its delta. False: none waits.
 */
async function lookAtNext(work: PieceWork, pair: Pair): Promise<boolean> {
  // So that the target is as near as can be: what is on its way looks different.
  await work.advance();
  const looked = await hashPiece(work, pair);
  if (looked === null) return false;
  const { piece, print, differences, complete } = looked;
  try {
    const table = work.tables.get(piece.captured)!;
    await reach("verify.piece-hashed");
    await settleDifferences(work, pair, piece, table, differences);
    if (!complete) {
      await mergePieces(work, pair, piece, table);
      return true;
    }
    if (await recordShown(pair.source, piece, print)) work.shown(piece, print.rows);
    await reach("verify.piece-shown");
    return true;
  } finally {
    work.taken.delete(piece.id);
  }
}

type Looked = {
  readonly piece: ProofPiece;
  readonly print: TablePrint;
  readonly differences: readonly Difference[];
  readonly complete: boolean;
};

async function hashPiece(work: PieceWork, { source, target }: Pair): Promise<Looked | null> {
  let piece: ProofPiece | null = null;
  try {
    await source.execute(sql("verify.begin-source", "begin isolation level repeatable read"));
    piece = await claimProofPiece(source, work.sync, [...work.tables.keys()], [...work.taken]);
    if (piece === null) return null;
    const table = work.tables.get(piece.captured)!;
    work.taken.add(piece.id);
    await reach("verify.piece-claimed");
    const part = await holdRelation(source, piece.part, table.name);
    // A partition that left the table: the deltas tell of it, and the table begins again.
    if (part === null) throw new BucardoError("run-void", "a partition left its table while it was compared", { db: source.name });
    await target.execute(sql("verify.begin-target", "begin isolation level repeatable read read only"));
    for (const session of [source, target]) await session.script(sql("verify.use-index", settingsOf(piece)));
    const { sourceRows, sourceHash, differences, complete } = await interruptible(work.signal, source, () =>
      interruptible(work.signal, target, () =>
        compareTable({
          ...table.job,
          source,
          target,
          limit: work.followedKeys,
          slice: sliceOf({ ...table.job.table, key: table.job.key }, table.ranges!, { ...piece!, source: part.name }),
        }),
      ),
    );
    await source.execute(sql("verify.end-source", "commit"));
    await target.execute(sql("verify.end-target", "commit"));
    return { piece, print: { rows: sourceRows, hash: sourceHash, onTheWay: differences.length }, differences, complete };
  } catch (error) {
    if (piece !== null) work.taken.delete(piece.id);
    throw error;
  } finally {
    await rollbackQuietly(source);
    await rollbackQuietly(target);
  }
}

/**
 * The sides put so many rows into different ranges that looking each of them up would take too long: their orders have nothing to do with each other, or their
 * partitions. Then the table is looked at in one piece, where order plays no part.
 */
async function mergePieces(
  work: PieceWork,
  { source }: Pair,
  piece: ProofPiece,
  { name, bytes, job: { table } }: ProvenTable,
): Promise<void> {
  const isWhole = piece.part === table.source.oid && piece.lower === null && piece.upper === null;
  if (isWhole)
    throw new BucardoError("run-void", `${displayName(name)} is behind in more than ${work.followedKeys} keys`, { db: source.name });
  await replacePieces(source, work.sync, piece.captured, [
    { part: table.source.oid, source: name, target: table.target, lower: null, upper: null, bytes },
  ]);
}

/** Of many pieces each would read the whole table where statistics are missing. */
function settingsOf({ lower, upper }: ProofPiece): string {
  return lower === null && upper === null ? "select" : "set local enable_seqscan = off";
}

/**
 * Keys that differed are read again, the source first, then the target after a run. Whoever still differs and was not touched in between is really
 * different: the run has carried the source's state, and nobody has changed it since. One that was touched is looked at by its delta. Errors: not-equal.
 */
async function settleDifferences(
  work: PieceWork,
  { source, target }: Pair,
  piece: ProofPiece,
  table: ProvenTable,
  differences: readonly Difference[],
): Promise<void> {
  const { lookups } = table;
  for (let first = 0; first < differences.length; first += AT_ONCE) {
    const keys = differences.slice(first, first + AT_ONCE).map(({ key }) => key);
    const { since, here } = await transaction(source, { isolation: "repeatable read", readOnly: true }, async () => {
      const { snapshot } = await source.one<{ snapshot: string }>(
        sql("verify.snapshot", "select txid_current_snapshot()::text as snapshot"),
      );
      return {
        since: parseSnapshot(snapshot),
        here: await lookUp({ ...lookups.source, scan: { ...lookups.source.scan, session: source } }, keys),
      };
    });
    await work.advance();
    const there = await lookUp({ ...lookups.target, scan: { ...lookups.target.scan, session: target } }, keys);
    const left = keys.filter((_, index) => here.get(index) !== there.get(index));
    if (left.length === 0) continue;
    const touched = await touchedAmong(source, piece.captured, since, table, left);
    const guilty = left.length - touched;
    if (guilty === 0) continue;
    // TRUNCATE and a partition that leaves touch no key: another look tells.
    if (work.accused.has(piece.id)) throw differs(displayName(table.name), `in ${guilty} ${guilty === 1 ? "key" : "keys"}`);
    work.accused.add(piece.id);
    throw new BucardoError("run-void", "a piece differed and is looked at again", { db: source.name });
  }
}
