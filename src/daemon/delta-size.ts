import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Disk space of all delta tables of a source, in bytes. */
export async function deltaBytes(session: Session): Promise<number> {
  const { bytes } = await session.one<{ bytes: number }>(
    sql("housekeeping.delta-bytes", `select coalesce(sum(pg_total_relation_size(delta)), 0)::bigint as bytes from bucardo.generation`),
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
            -- The locks of a prepared transaction have no pid; the one on its own id tells which virtual id it had (-1/... from 14 on).
            select from pg_locks own
              join pg_locks l on l.virtualtransaction = own.virtualtransaction and l.pid is null
              join pg_class c on c.oid = l.relation
              join pg_namespace n on n.oid = c.relnamespace
             where own.locktype = 'transactionid' and own.pid is null and own.transactionid = x.transaction
               and l.database = (select d.oid from pg_database d where d.datname = current_database())
               and n.nspname = 'bucardo' and c.relname ~ '^delta_')
        order by x.prepared`,
    ),
  );
}
