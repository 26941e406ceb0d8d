import { readSequences } from "../catalog/sequence.ts";
import { readTables } from "../catalog/table.ts";
import type { Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { RelationKind } from "../model/sync.ts";
import type { Terms } from "../model/terms.ts";
import { cancelQuery } from "../postgres/cancel.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { compareTable, type TableEquality, type TableJob } from "./compare-table.ts";
import { cutTable, PIECE_BYTES, readRangeKeys, sliceOf, type RangeKeys, type TablePiece } from "./cut-table.ts";
import { nameThere, onTerms, pairTables, type TablePair } from "./pair.ts";
import { sortDifferences, type Difference } from "./difference.ts";
import { FOLLOWED_KEYS } from "./not-equal.ts";
import { recheck } from "./recheck.ts";
import { tableBytes } from "./scan.ts";
import { compareSequenceValues, type SequenceEquality, type SequencePair } from "./sequence.ts";
import { hashOfSums, numberOfHash } from "./table-hash.ts";

export type CompareRelation = {
  readonly kind: RelationKind;
  readonly name: QualifiedName;
  /** Null: the catalog's choice. */
  readonly key: readonly string[] | null;
  /** What of it is otherwise on the target; `name` is the source's. */
  readonly terms?: Terms | undefined;
};

export type CompareJob = {
  readonly source: Session;
  readonly target: Session;
  readonly relations: readonly CompareRelation[];
  /** Keys named per table at most (default 20). */
  readonly limit?: number;
  /**
   * Milliseconds to look again at keys that differ while writers and runs go on; 0 (default): nobody writes, all tables are read in
   * one snapshot a side, and what differs then is different.
   */
  readonly patienceMs?: number;
  /** With writers, a table that is larger on the source's disk is read in pieces of about this size; default `PIECE_BYTES`. */
  readonly pieceBytes?: number;
  /** Keys that are known to differ, table by table as displayed: named apart, and not looked at again. */
  readonly expected?: ReadonlyMap<string, readonly (readonly string[])[]>;
  readonly signal?: AbortSignal;
  /** Called as each table is done. */
  readonly onTable?: (table: TableEquality) => void;
};

export type SyncEquality = {
  readonly equal: boolean;
  readonly tables: readonly TableEquality[];
  readonly sequences: readonly SequenceEquality[];
  /** Relations that could not be compared: missing on a side, without key. */
  readonly problems: readonly Problem[];
};

const NAMED_KEYS = 20;

/** Compares all tables and sequences of a sync between its source and one target. Changes nothing on either. Aborting cancels what runs. */
export async function compareSync(job: CompareJob): Promise<SyncEquality> {
  job.signal?.throwIfAborted();
  const cancel = (): void => void Promise.allSettled([cancelQuery(job.source), cancelQuery(job.target)]);
  job.signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await compareAll(job);
  } catch (error) {
    // Not the server's word for it (57014), which is only the echo of ours.
    job.signal?.throwIfAborted();
    throw error;
  } finally {
    job.signal?.removeEventListener("abort", cancel);
  }
}

async function compareAll(job: CompareJob): Promise<SyncEquality> {
  const { tables, problems } = await findTables(job);
  const compared = job.patienceMs ? await compareMoving(job, tables, job.patienceMs) : await compareQuiet(job, tables);
  const sequences = await compareSequenceValues(
    job.source,
    job.target,
    await findSequences(job, problems),
    job.patienceMs ?? 0,
    job.signal,
  );
  const equal = problems.length === 0 && compared.every((table) => table.equal) && sequences.every((sequence) => sequence.equal);
  return { equal, tables: compared, sequences, problems };
}

/** One snapshot a side for all tables. */
function compareQuiet(job: CompareJob, pairs: readonly TablePair[]): Promise<TableEquality[]> {
  return inSnapshots(job, async () => {
    const compared: TableEquality[] = [];
    for (const pair of pairs) compared.push(report(job, setApart(job, await compareTable(tableJob(job, pair)), job.limit ?? NAMED_KEYS)));
    return compared;
  });
}

/** A snapshot a side for each table, or for each piece of a large one, held no longer than the scan; then the keys that differ are followed. */
async function compareMoving(job: CompareJob, pairs: readonly TablePair[], patienceMs: number): Promise<TableEquality[]> {
  const compared: TableEquality[] = [];
  for (const pair of pairs) {
    const table = { ...tableJob(job, pair), limit: FOLLOWED_KEYS };
    const seen = setApart(job, await lookAtMoving(job, pair, table, patienceMs), FOLLOWED_KEYS);
    // An incomplete look is too far apart to be followed.
    const left = seen.complete ? await recheck(table, seen.differences, patienceMs) : seen.differences;
    const named = left.slice(0, job.limit ?? NAMED_KEYS);
    const equal = left.length === 0 && (seen.expected ?? []).length === 0;
    compared.push(report(job, { ...seen, equal, differences: named, complete: seen.complete && named.length === left.length }));
  }
  return compared;
}

/** Where pieces differ in more keys than can be followed, and none of them in truth, the sides have other orders: then order must play no part. */
async function lookAtMoving(job: CompareJob, pair: TablePair, table: TableJob, patienceMs: number): Promise<TableEquality> {
  const pieceBytes = job.pieceBytes ?? PIECE_BYTES;
  const large = (await tableBytes(job.source, pair.source)) > pieceBytes;
  const keys = large && pair.termed === undefined ? await readRangeKeys(job.source, job.target, pair) : null;
  if (keys !== null) {
    const seen = await compareInPieces(job, table, keys, await cutTable(job.source, pair, keys, pieceBytes));
    if (seen.complete) return seen;
    const left = await recheck(table, seen.differences, patienceMs);
    if (left.length > 0) return { ...seen, differences: left };
  }
  return inSnapshots(job, () => compareTable(table));
}

async function compareInPieces(job: CompareJob, table: TableJob, keys: RangeKeys, pieces: readonly TablePiece[]): Promise<TableEquality> {
  const found = new Map<string, Difference>();
  let [sourceRows, targetRows, complete] = [0, 0, true];
  const hashes = { source: [] as string[], target: [] as string[] };
  for (const piece of pieces) {
    const limit = FOLLOWED_KEYS - found.size;
    const slice = sliceOf({ ...table.table, key: table.key }, keys, piece);
    const seen = await inSnapshots(job, async () => {
      for (const session of [job.source, job.target])
        if (piece.lower !== null || piece.upper !== null) await session.script(sql("verify.use-index", "set local enable_seqscan = off"));
      return compareTable({ ...table, limit, slice });
    });
    sourceRows += seen.sourceRows;
    targetRows += seen.targetRows;
    hashes.source.push(numberOfHash(seen.sourceHash));
    hashes.target.push(numberOfHash(seen.targetHash));
    for (const difference of seen.differences) found.set(JSON.stringify(difference.key), difference);
    complete = seen.complete && found.size < FOLLOWED_KEYS;
    if (!complete) break;
  }
  return {
    table: displayName(table.table.source),
    equal: found.size === 0,
    sourceRows,
    targetRows,
    sourceHash: hashOfSums(hashes.source),
    targetHash: hashOfSums(hashes.target),
    differences: sortDifferences([...found.values()]),
    complete,
  };
}

/** What was expected to differ, beside what was not: so many of those. */
function setApart(job: CompareJob, seen: TableEquality, limit: number): TableEquality {
  if (job.expected === undefined) return seen;
  const known = new Set(expectedOf(job, seen.table).map((key) => JSON.stringify(key)));
  const isKnown = ({ key }: Difference): boolean => known.has(JSON.stringify(key));
  const others = seen.differences.filter((difference) => !isKnown(difference));
  const differences = others.slice(0, limit);
  const complete = seen.complete && differences.length === others.length;
  return { ...seen, differences, expected: seen.differences.filter(isKnown), complete };
}

function expectedOf({ expected }: CompareJob, table: string): readonly (readonly string[])[] {
  return expected?.get(table) ?? [];
}

function tableJob(job: CompareJob, pair: TablePair): TableJob {
  return {
    source: job.source,
    target: job.target,
    table: pair,
    key: pair.key,
    ...(pair.termed !== undefined && { termed: pair.termed }),
    limit: (job.limit ?? NAMED_KEYS) + expectedOf(job, displayName(pair.source)).length,
    ...(job.signal !== undefined && { signal: job.signal }),
  };
}

function report(job: CompareJob, table: TableEquality): TableEquality {
  job.onTable?.(table);
  return table;
}

async function inSnapshots<T>({ source, target }: CompareJob, work: () => Promise<T>): Promise<T> {
  const snapshot = { isolation: "repeatable read", readOnly: true } as const;
  return transaction(source, snapshot, () => transaction(target, snapshot, work));
}

async function findTables(job: CompareJob): Promise<{ tables: TablePair[]; problems: Problem[] }> {
  const relations = job.relations.filter((relation) => relation.kind === "table");
  const [source, target] = await Promise.all([
    readTables(
      job.source,
      relations.map((relation) => relation.name),
      { bounds: false },
    ),
    readTables(job.target, relations.map(nameThere), { bounds: false }),
  ]);
  const { tables, problems } = pairTables(relations, { db: job.source.name, tables: source }, { db: job.target.name, tables: target });
  const termed = await Promise.all(tables.map((pair) => onTerms(job.source, pair)));
  return { tables: termed.flatMap(({ pair }) => pair ?? []), problems: [...problems, ...termed.flatMap((each) => each.problems)] };
}

async function findSequences(job: CompareJob, problems: Problem[]): Promise<SequencePair[]> {
  const pairs = job.relations
    .filter((relation) => relation.kind === "sequence")
    .map((relation) => ({ source: relation.name, target: nameThere(relation) }));
  for (const side of ["source", "target"] as const) {
    const session = job[side];
    const found = await readSequences(
      session,
      pairs.map((pair) => pair[side]),
    );
    for (const table of pairs.filter((pair) => !found.has(displayName(pair[side]))).map((pair) => displayName(pair.source))) {
      problems.push({
        grade: "error",
        db: session.name,
        table,
        what: `the sequence does not exist on ${session.name}`,
        remedy: "Create it, or take it out of the sync.",
      });
    }
  }
  const bad = new Set(problems.map(({ table }) => table));
  return pairs.filter((pair) => !bad.has(displayName(pair.source)));
}
