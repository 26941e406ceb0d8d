import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A transaction that holds a lock which we would have to wait for. Null pid: a prepared one. */
export type Blocker = {
  readonly pid: number | null;
  readonly application: string;
  readonly user: string;
  /** Null, as its age, when we may not see it. */
  readonly state: string | null;
  readonly seconds: number | null;
  readonly gid: string | null;
  /** Qualified; the table or one of its partitions. */
  readonly relation: string;
  readonly transaction: string;
  /** Maintenance of the server, which gives way to whoever waits. */
  readonly yields: boolean;
};

/** What we want a table's lock for. CREATE TRIGGER stands against writers, DROP TRIGGER against everybody. */
export type Purpose = "create trigger" | "drop trigger";

const WRITING = [
  "RowExclusiveLock",
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
];
const READING = ["AccessShareLock", "RowShareLock"];

/** Who keeps us from a table and its partitions right now, the oldest transaction first. */
export async function findBlockers(session: Session, table: QualifiedName, purpose: Purpose): Promise<Blocker[]> {
  return session.query<Blocker>(
    sql(
      "capture.blockers",
      `with recursive part (oid) as (
         select to_regclass(format('%I.%I', $1::text, $2::text))::oid
         union all
         select i.inhrelid from part p join pg_class c on c.oid = p.oid and c.relkind = 'p' join pg_inherits i on i.inhparent = p.oid
       ), held as (
         select distinct on (l.virtualtransaction) l.pid, l.virtualtransaction as transaction, n.nspname || '.' || c.relname as relation
           from part join pg_locks l on l.relation = part.oid join pg_class c on c.oid = part.oid join pg_namespace n on n.oid = c.relnamespace
          where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_backend_pid() and l.mode = any ($3::text[])
            and l.database = (select oid from pg_database where datname = current_database())
          order by l.virtualtransaction, part.oid
       )
       select h.pid, coalesce(a.application_name, '') as application, coalesce(a.usename, p.owner, '') as "user",
              case when h.pid is null then 'prepared' else a.state end as state, p.gid, h.relation, h.transaction,
              extract(epoch from clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 as seconds,
              a.pid is not null and a.usesysid is null as yields
         from held h
         left join pg_stat_activity a on a.pid = h.pid
         left join pg_prepared_xacts p on h.pid is null and p.database = current_database()
                                      and (h.transaction = '-1/' || p.transaction::text or (select count(*) from held x where x.pid is null) = 1)
        order by coalesce(a.xact_start, p.prepared)`,
      [table.schema, table.name, purpose === "create trigger" ? WRITING : [...READING, ...WRITING]],
    ),
  );
}

/** "public.t is locked by pid 17 (psql, user joe, idle in transaction for 12.0 s)" */
export function describeBlockers(table: QualifiedName, blockers: readonly Blocker[]): string {
  if (blockers.length === 0) return `${displayName(table)} is locked by another session`;
  const list = blockers.slice(0, 3).map((blocker) => {
    const who = blocker.pid === null ? `prepared transaction ${blocker.gid ?? "?"}` : `pid ${blocker.pid}`;
    const since = blocker.seconds === null ? null : `for ${blocker.seconds.toFixed(1)} s`;
    const doing = [blocker.state, since].filter((part) => part !== null).join(" ");
    const parts = [blocker.application, blocker.user === "" ? "" : `user ${blocker.user}`, doing].filter((part) => part !== "");
    return parts.length === 0 ? who : `${who} (${parts.join(", ")})`;
  });
  const more = blockers.length > 3 ? ` and ${blockers.length - 3} more` : "";
  return `${blockers[0]?.relation ?? displayName(table)} is locked by ${list.join(", ")}${more}`;
}

/** Since when we have seen a transaction hold a lock, for those whose age we may not see. */
const seen = new WeakMap<Session, Map<string, number>>();

/**
 * Who queues for a lock stops everybody who comes after him. So we queue only while the holders are as young as we are patient: behind a report or
 * a forgotten transaction nobody waits because of us. Errors: lock-timeout without SQLSTATE, with the holders.
 */
export async function refuseHeld(session: Session, table: QualifiedName, purpose: Purpose, patienceMs: number): Promise<void> {
  const blockers = (await findBlockers(session, table, purpose)).filter((blocker) => !blocker.yields);
  const now = performance.now();
  const before = seen.get(session);
  const since = new Map(blockers.map(({ transaction }) => [transaction, before?.get(transaction) ?? now]));
  seen.set(session, since);
  const old = blockers.filter(
    ({ seconds, transaction }) => (seconds ?? (now - (since.get(transaction) ?? now)) / 1000) * 1000 > patienceMs,
  );
  if (old.length === 0) return;
  throw new BucardoError("lock-timeout", describeBlockers(table, old), { db: session.name, table: displayName(table) });
}
