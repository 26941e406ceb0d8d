import { chunks } from "../base/chunks.ts";
import type { QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { boundStatement, type TreeRow } from "./tree.sql.ts";

/** What holds rows: a plain table itself, or the partitions at the ends of a partitioned one. */
export type Leaf = {
  readonly oid: number;
  readonly name: QualifiedName;
  /** pg_get_partition_constraintdef: the whole condition incl. those of its ancestors, in names of columns; null for plain tables. */
  readonly bound: string | null;
  /** False for hash partitions: `bound` then calls a function with the OID of the parent, which means nothing elsewhere. */
  readonly portableBound: boolean;
  /** pg_class.relfilenode as the snapshot of the reading transaction sees it; 0 for foreign tables. */
  readonly filenode: number;
  /** Changes with every change of a column of this leaf, and only then: VACUUM FULL moves the filenode, not this. */
  readonly attributeXmin: string;
};

/** Partitions whose bounds are asked for in one statement: keeps a server with default settings far from `out of shared memory`. */
const BOUNDS_AT_ONCE = 500;

/** What holds rows among a table and its partitions; `bounds` false leaves every bound null and takes no lock. */
export async function readLeaves(session: Session, rows: readonly TreeRow[], bounds: boolean): Promise<Map<number, Leaf>> {
  const leaves = rows.filter((row) => row.kind === "r" || row.kind === "f");
  const bounded = bounds ? leaves.filter((row) => row.is_partition).map((row) => row.oid) : [];
  const boundOf = new Map<number, string>();
  for (const oids of chunks(bounded, BOUNDS_AT_ONCE)) {
    for (const row of await session.query<{ oid: number; bound: string }>(boundStatement(oids))) boundOf.set(row.oid, row.bound);
  }
  return new Map(leaves.map((row) => [row.oid, toLeaf(row, boundOf.get(row.oid) ?? null)]));
}

function toLeaf(row: TreeRow, bound: string | null): Leaf {
  return {
    oid: row.oid,
    name: { schema: row.schema, name: row.name },
    bound,
    portableBound: bound === null || !bound.includes("satisfies_hash_partition("),
    filenode: row.filenode,
    attributeXmin: row.attribute_xmin,
  };
}
