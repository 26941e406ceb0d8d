import { readKeyColumns, type KeyColumn } from "../capture/key-column.ts";
import type { TableShape } from "../catalog/table.ts";
import { sampleBounds } from "../copy/cut.ts";
import { canRange, rangeText, type KeyRange } from "../copy/key-range.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { TableJob } from "./compare-table.ts";
import type { TablePair } from "./pair.ts";

/** About so much of the source's disk is looked at in one snapshot: some seconds. */
export const PIECE_BYTES = 128 * 1024 * 1024;

/** How both sides find the rows of a range. */
export type RangeKeys = { readonly source: readonly KeyColumn[]; readonly target: readonly KeyColumn[] };

/** A part of a table that is looked at in one snapshot of either side. */
export type TablePiece = KeyRange & {
  /** Number of the table or partition on the source. */
  readonly part: number;
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  readonly bytes: number;
};

/** Null: the key has no order that can be written down, so that the table is looked at in one piece. */
export async function readRangeKeys(source: Session, target: Session, pair: TablePair): Promise<RangeKeys | null> {
  const [here, there] = [await readKeyColumns(source, pair.source.oid, pair.key), await readKeyColumns(target, pair.target.oid, pair.key)];
  return canRange(here) && canRange(there) ? { source: here, target: there } : null;
}

/**
 * Cuts a table into ranges of its key, by partition where both sides have the same ones. Each side finds the rows of a range by its own order, and the two orders
 * need not be the same (collations of other libraries, enums): whatever the order, ranges between the same bounds leave no row of a side out, so a row that
 * is in another range over there shows as a difference, never as nothing, and is then looked up by its key.
 */
export async function cutTable(source: Session, pair: TablePair, keys: RangeKeys, pieceBytes: number): Promise<TablePiece[]> {
  const pieces: TablePiece[] = [];
  const wide = pair.source.columns.filter((column) => column.length < 0).map(({ name }) => name);
  for (const part of await partsOf(source, pair)) {
    const wanted = Math.ceil(part.bytes / pieceBytes);
    const cuttable = { name: part.source, only: isAlone(pair.source, part), key: keys.source, wide };
    const bounds = wanted < 2 ? [] : await sampleBounds(source, cuttable, wanted);
    const bytes = Math.round(part.bytes / (bounds.length + 1));
    const ends = [null, ...bounds, null];
    for (let n = 0; n + 1 < ends.length; n++) pieces.push({ ...part, bytes, lower: ends[n]!, upper: ends[n + 1]! });
  }
  return pieces;
}

/** What `compareTable` needs to look at one piece. */
export function sliceOf(pair: TablePair, keys: RangeKeys, piece: TablePiece): NonNullable<TableJob["slice"]> {
  const target = piece.part === pair.source.oid ? pair.target.kind !== "partitioned" : true;
  return {
    source: { name: piece.source, only: isAlone(pair.source, piece), where: rangeText(keys.source, piece) },
    target: { name: piece.target, only: target, where: rangeText(keys.target, piece) },
    bytes: piece.bytes,
  };
}

/** A whole tree is only read where partitions differ. */
function isAlone(shape: TableShape, { part }: { readonly part: number }): boolean {
  return part !== shape.oid || shape.kind !== "partitioned";
}

type Part = Omit<TablePiece, keyof KeyRange>;

async function partsOf(source: Session, { source: here, target: there }: TablePair): Promise<Part[]> {
  const sizes = await readSizes(source, here);
  if (here.kind === "partitioned" && sameLeaves(here, there))
    return here.leaves.map(({ oid, name }) => ({ part: oid, source: name, target: name, bytes: sizes.get(oid) ?? 0 }));
  const bytes = [...sizes.values()].reduce((sum, each) => sum + each, 0);
  return [{ part: here.oid, source: nameOf(here), target: nameOf(there), bytes }];
}

function nameOf({ schema, name }: QualifiedName): QualifiedName {
  return { schema, name };
}

/** One to one by name. Their bounds do not matter: a row elsewhere is a difference, and is looked up. */
function sameLeaves(here: TableShape, there: TableShape): boolean {
  const names = (shape: TableShape) =>
    shape.leaves
      .map(({ name }) => displayName(name))
      .toSorted()
      .join("\n");
  return there.kind === "partitioned" && names(here) === names(there);
}

/** On disk, with what is stored out of line. */
async function readSizes(source: Session, shape: TableShape): Promise<Map<number, number>> {
  const rows = await source.query<{ oid: number; bytes: number }>(
    sql("verify.piece-sizes", "select o as oid, coalesce(pg_table_size(o), 0)::bigint as bytes from unnest($1::oid[]) o", [
      shape.leaves.map((leaf) => leaf.oid),
    ]),
  );
  return new Map(rows.map((row) => [row.oid, row.bytes]));
}
