import type { KeyColumn } from "../capture/key-column.ts";
import type { QualifiedName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Part } from "./hold.ts";
import { keyValue } from "./key-range.ts";
import type { CopyLink } from "./link.ts";
import type { Piece } from "./piece.ts";

/** Blocks of the table that are looked at: some for each piece, and not so many that cutting a table of terabytes takes longer than minutes. */
const BLOCKS_PER_PIECE = 16;
const LEAST_BLOCKS = 300;
const MOST_BLOCKS = 100_000;

/**
 * Cuts a piece that is larger than one should be, at keys from a sample of its blocks: neither the table nor its index is read through. Bounds
 * need not be of any one moment: first and last piece are open, and what lies between two keys is copied by exactly one piece.
 * In the transaction that holds the piece locked; the piece itself becomes the first of them.
 */
export async function cutPiece(source: Session, piece: Piece, part: Part, link: CopyLink, pieceBytes: number): Promise<void> {
  const wanted = Math.ceil(piece.bytesExpected / pieceBytes);
  const bounds = wanted < 2 ? [] : await sampleBounds(source, cuttableOf(part, link), wanted);
  const each = Math.round(piece.bytesExpected / (bounds.length + 1));
  await source.execute(
    sql(
      "copy.cut",
      `with first as (
         update bucardo.copy_piece set upper_bound = $3, bytes_expected = $4, final = true where copy_table = $1 and number = $2)
       insert into bucardo.copy_piece (copy_table, number, rank, state, part, lower_bound, upper_bound, bytes_expected, final)
       select $1, $2 + b.n, $5, 'waiting', $6, b.lower, b.upper, $4, true
         from json_to_recordset($7::json) as b (n int, lower text[], upper text[])`,
      [
        piece.table,
        piece.number,
        bounds[0] ?? null,
        each,
        piece.rank,
        piece.part,
        JSON.stringify(bounds.map((lower, index) => ({ n: index + 1, lower, upper: bounds[index + 1] ?? null }))),
      ],
    ),
  );
}

/** What keys are taken from: a table, or with `only` false a whole tree. */
export type Cuttable = {
  readonly name: QualifiedName;
  readonly only: boolean;
  readonly key: readonly KeyColumn[];
  /** Columns of variable width: they tell how large a row is, what is stored out of line included. */
  readonly wide: readonly string[];
};

function cuttableOf({ name }: Part, link: CopyLink): Cuttable {
  return { name, only: true, key: link.key!, wide: link.columns.flatMap(({ variable, own }) => (variable && own !== null ? [own] : [])) };
}

/** Keys that cut what is there into about so many pieces of equal bytes, in the source's order; neither the table nor its index is read through. */
export async function sampleBounds(source: Session, cuttable: Cuttable, pieces: number): Promise<string[][]> {
  const { blocks } = await source.one<{ blocks: number }>(
    sql(
      "copy.blocks",
      `with recursive part (oid) as (
         select $1::regclass::oid
         union all
         select i.inhrelid from part p join pg_inherits i on i.inhparent = p.oid where not $2
       )
       select greatest(1, sum(coalesce(pg_relation_size(oid), 0)) / current_setting('block_size')::int)::bigint as blocks from part`,
      [quoteName(cuttable.name), cuttable.only],
    ),
  );
  const looked = Math.min(MOST_BLOCKS, Math.max(LEAST_BLOCKS, pieces * BLOCKS_PER_PIECE));
  for (let percent = (100 * looked) / blocks; ; percent *= 8) {
    const bounds = await boundsOfSample(source, cuttable, pieces, Math.min(100, percent));
    // A table of mostly empty blocks gives too few rows.
    if (bounds.length >= (pieces - 1) / 2 || percent >= 100) return bounds;
  }
}

async function boundsOfSample(source: Session, { name, only, key, wide }: Cuttable, pieces: number, percent: number): Promise<string[][]> {
  const names = key.map((_, index) => `k${index + 1}`);
  const order = names.join(", ");
  const widths = wide.map((column) => `coalesce(pg_column_size(t.${quoteIdent(column)}), 0)`);
  const rows = await source.query<{ bound: string[] }>(
    sql(
      "copy.sample",
      `select distinct on (piece) array[${names.map((each) => `${each}::text`).join(", ")}] as bound
         from (select ${order}, floor((sum(weight) over (order by ${order}) - weight) * ${pieces} / sum(weight) over ()) as piece
                 from (select ${key.map((column, index) => `${keyValue(column)} as ${names[index]}`).join(", ")}, ${["64", ...widths].join(" + ")} as weight
                         from ${only ? "only " : ""}${quoteName(name)} t tablesample system (${percent.toFixed(6)})) x) y
        where piece > 0
        order by piece, ${order}`,
    ),
  );
  return rows.map((row) => row.bound);
}
