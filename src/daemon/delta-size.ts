import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Disk space of all delta tables of a source, in bytes. */
export async function deltaBytes(session: Session): Promise<number> {
  const { bytes } = await session.one<{ bytes: number }>(
    sql(
      "housekeeping.delta-bytes",
      `select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint as bytes
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'bucardo' and c.relkind = 'r' and c.relname ~ '^delta_[0-9]+_[0-9]+$'`,
    ),
  );
  return bytes;
}

/** Prepared transactions that hold a lock on a delta table: they keep old generations from being dropped until somebody ends them (hazard 33). */
export async function preparedHolders(session: Session): Promise<{ readonly gid: string; readonly ageSeconds: number }[]> {
  return await session.query(
    sql(
      "housekeeping.prepared-holders",
      `select x.gid, extract(epoch from clock_timestamp() - x.prepared)::float8 as "ageSeconds"
         from pg_prepared_xacts x
        where x.database = current_database()
          and exists (
            select from pg_locks l
              join pg_class c on c.oid = l.relation
              join pg_namespace n on n.oid = c.relnamespace
             where l.virtualtransaction = '-1/' || x.transaction::text
               and l.database = (select d.oid from pg_database d where d.datname = current_database())
               and n.nspname = 'bucardo' and c.relname ~ '^delta_')
        order by x.prepared`,
    ),
  );
}
