import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A session that holds a lock on a table which conflicts with CREATE TRIGGER. Null pid: a prepared transaction. */
export type Blocker = {
  readonly pid: number | null;
  readonly application: string;
  readonly user: string;
  readonly state: string;
  readonly seconds: number;
  readonly gid: string | null;
};

/** Who keeps us from a table right now, the oldest transaction first. */
export async function findBlockers(session: Session, table: QualifiedName): Promise<Blocker[]> {
  return session.query<Blocker>(
    sql(
      "capture.blockers",
      `select l.pid, coalesce(a.application_name, '') as application, coalesce(a.usename, p.owner, '') as "user",
              coalesce(a.state, 'prepared') as state, extract(epoch from clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 as seconds, p.gid
         from pg_locks l
         left join pg_stat_activity a on a.pid = l.pid
         left join pg_prepared_xacts p on l.virtualtransaction = '-1/' || p.transaction::text or (l.pid is null and l.virtualtransaction like '-1/%' and p.database = current_database())
        where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_backend_pid()
          and l.database = (select oid from pg_database where datname = current_database())
          and l.relation = to_regclass(format('%I.%I', $1::text, $2::text))
          and l.mode in ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        order by coalesce(a.xact_start, p.prepared)`,
      [table.schema, table.name],
    ),
  );
}

/** "public.t is locked by pid 17 (psql, user joe, idle in transaction for 12.0 s)" */
export function describeBlockers(table: QualifiedName, blockers: readonly Blocker[]): string {
  if (blockers.length === 0) return `${displayName(table)} is locked by another session`;
  const list = blockers.slice(0, 3).map((blocker) => {
    const who = blocker.pid === null ? `prepared transaction ${blocker.gid ?? "?"}` : `pid ${blocker.pid}`;
    return `${who} (${[blocker.application, `user ${blocker.user}`, `${blocker.state} for ${blocker.seconds.toFixed(1)} s`].filter(Boolean).join(", ")})`;
  });
  const more = blockers.length > 3 ? ` and ${blockers.length - 3} more` : "";
  return `${displayName(table)} is locked by ${list.join(", ")}${more}`;
}
