import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A large object with its size on either side; null: it is not there. */
export type ObjectPair = { readonly oid: number; readonly source: number | null; readonly target: number | null };

/** Objects of the source that are listed at once. */
const AT_ONCE = 1000;
const LAST_OID = 4_294_967_295;

/** All large objects of both sides, by number, some at a time. Errors: permission-denied, where our user may not read one. */
export async function* listObjects(source: Session, target: Session): AsyncGenerator<ObjectPair[]> {
  for (let after = 0; after < LAST_OID;) {
    const upto = await lastOf(source, after);
    const [here, there] = [await sizes(source, after, upto), await sizes(target, after, upto)];
    const oids = [...new Set([...here.keys(), ...there.keys()])].toSorted((one, other) => one - other);
    if (oids.length > 0) yield oids.map((oid) => ({ oid, source: here.get(oid) ?? null, target: there.get(oid) ?? null }));
    after = upto;
  }
}

/**
 * Those of the source that were made, or given to somebody else, by transactions that `since` had not seen the end of, and perhaps some more; `since`: the
 * oldest transaction that was open then, as txid_snapshot_xmin tells it.
 */
export async function listNewObjects(source: Session, target: Session, since: number): Promise<ObjectPair[]> {
  const rows = await source.query<{ oid: number; size: number }>(
    sql(
      "copy.new-large-objects",
      `select oid, lo_lseek64(lo_open(oid, 262144), 0, 2) as size from pg_largeobject_metadata
        where age(xmin) <= age(($1::int8 % 4294967296)::text::xid) order by oid`,
      [since],
    ),
  );
  if (rows.length === 0) return [];
  const there = await target.query<{ oid: number; size: number }>(
    sql(
      "copy.known-large-objects",
      "select oid, lo_lseek64(lo_open(oid, 262144), 0, 2) as size from pg_largeobject_metadata where oid = any ($1::oid[])",
      [rows.map(({ oid }) => oid)],
    ),
  );
  const known = new Map(there.map(({ oid, size }) => [oid, size]));
  return rows.map(({ oid, size }) => ({ oid, source: size, target: known.get(oid) ?? null }));
}

async function lastOf(source: Session, after: number): Promise<number> {
  const [last] = await source.query<{ oid: number }>(
    sql(
      "copy.large-object-step",
      `select oid from pg_largeobject_metadata where oid > $1::oid order by oid offset ${AT_ONCE - 1} limit 1`,
      [after],
    ),
  );
  return last?.oid ?? LAST_OID;
}

/** 262144: for reading; 2: to the end. The descriptors are closed with the statement's transaction. */
async function sizes(session: Session, after: number, upto: number): Promise<Map<number, number>> {
  const rows = await session.query<{ oid: number; size: number }>(
    sql(
      "copy.large-object-sizes",
      `select oid, lo_lseek64(lo_open(oid, 262144), 0, 2) as size from pg_largeobject_metadata where oid > $1::oid and oid <= $2::oid`,
      [after, upto],
    ),
  );
  return new Map(rows.map((row) => [row.oid, row.size]));
}
