import type { Column } from "../catalog/column.ts";
import type { TableShape } from "../catalog/table.ts";
import type { QualifiedName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { bucketHashOf, hashOf, joinedText, valueText, type Form } from "./row-text.ts";

/** One side of a comparison with the expressions to read it by. */
export type Scan = {
  readonly session: Session;
  /** `only "s"."t" as t`; partitioned tables without ONLY. */
  readonly from: string;
  /** Empty, or ` where ..` for a range of keys. */
  readonly where: string;
  /** Key values as text, for people and for looking them up. */
  readonly key: readonly string[];
  /** The same so that both sides print equal keys alike. */
  readonly identity: readonly string[];
  /** Hash of the key, 32 bits: which bucket a row is in. */
  readonly bucketHash: string;
  /** Hash of all columns compared, 64 bits. */
  readonly rowHash: string;
};

/** A part of a table by place and range: a partition or the table itself, and ` where ..` over the alias t; empty for all of it. */
export type Slice = { readonly name: QualifiedName; readonly only: boolean; readonly where: string };

export type ScanPlan = {
  readonly session: Session;
  readonly own: TableShape;
  /** In place of the table itself; with the alias t. */
  readonly from?: string;
  readonly source: TableShape;
  readonly key: readonly string[];
  readonly columns: readonly string[];
  readonly form: Form;
  /** Default: everything. */
  readonly slice?: Slice | undefined;
};

export function planScan({ session, own, from, source, key, columns, form, slice }: ScanPlan): Scan {
  const textOf = (name: string): string => valueText(columnOf(own, name), columnOf(source, name), form);
  const identity = key.map(textOf);
  return {
    session,
    from: from ?? `${(slice?.only ?? own.kind !== "partitioned") ? "only " : ""}${quoteName(slice?.name ?? own)} as t`,
    where: slice?.where ?? "",
    key: key.map((name) => `t.${quoteIdent(name)}::text`),
    identity,
    bucketHash: bucketHashOf(joinedText(identity), form),
    rowHash: hashOf(joinedText(columns.map(textOf)), form),
  };
}

/** A part of the rows: those whose bucket hash ends in one of `endings`, each `bits` bits long; 0 bits is the whole table. */
export type Part = { readonly bits: number; readonly endings: readonly number[] };

export type BucketSum = { readonly rows: number; readonly sum: string };

/** Rows and the sum of their hashes by the next `width` bits of the bucket hash. A join, because a long `= any` is slow before 14. */
export async function readBuckets(scan: Scan, { bits, endings }: Part, width: number): Promise<Map<number, BucketSum>> {
  const rows = await scan.session.query<BucketSum & { ending: number }>(
    sql(
      "verify.bucket",
      `select ${ending("h", bits + width)} as ending, count(*) as rows, sum(v)::text as sum
       from (select ${scan.bucketHash} as h, ${scan.rowHash} as v from ${scan.from}${scan.where}) as r
       ${bits === 0 ? "" : `join unnest($1::int4[]) as part(ending) on part.ending = ${ending("h", bits)}`}
       group by 1`,
      bits === 0 ? undefined : [endings],
    ),
  );
  return new Map(rows.map((row) => [row.ending, { rows: row.rows, sum: row.sum }]));
}

/** The key as text values, and the hash of the row. `identity` is null where the key's text serves. */
export type HashedRow = { readonly key: readonly string[]; readonly identity: readonly string[] | null; readonly hash: string };

/** All rows of a part. */
export async function readRows(scan: Scan, { bits, endings }: Part): Promise<HashedRow[]> {
  return scan.session.query<HashedRow>(
    sql(
      "verify.rows",
      `select ${keyAndHash(scan)}
       from ${scan.from} join unnest($1::int4[]) as part(ending) on part.ending = ${ending(scan.bucketHash, bits)}${scan.where}`,
      [endings],
    ),
  );
}

/** What makes a `HashedRow`. */
export function keyAndHash(scan: Scan): string {
  const identity = scan.identity.join() === scan.key.join() ? "null::json" : `pg_catalog.json_build_array(${scan.identity.join(", ")})`;
  return `pg_catalog.json_build_array(${scan.key.join(", ")}) as key, ${identity} as identity, (${scan.rowHash})::text as hash`;
}

/** Bytes of the table's rows on disk: how many buckets are worth while. */
export async function tableBytes(session: Session, shape: TableShape): Promise<number> {
  const { bytes } = await session.one<{ bytes: number }>(
    sql("verify.size", `select coalesce(sum(pg_relation_size(oid)), 0)::int8 as bytes from unnest($1::oid[]) as leaf(oid)`, [
      shape.leaves.map((leaf) => leaf.oid),
    ]),
  );
  return bytes;
}

/** The last `bits` bits of a hash. At most 31 of them: the sign bit would make another number of it. */
function ending(hash: string, bits: number): string {
  return `(${hash} & ${2 ** bits - 1})`;
}

function columnOf(shape: TableShape, name: string): Column {
  const column = shape.columns.find((candidate) => candidate.name === name);
  if (column === undefined) throw new Error(`${quoteIdent(name)} is no column of ${quoteName(shape)}`);
  return column;
}
