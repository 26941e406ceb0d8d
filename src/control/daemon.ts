import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Two-key advisory lock of the control database; the daemon holds it for as long as it lives. */
export const DAEMON_LOCK = { space: 0x6275, key: 1 } as const;

/** The daemon that owns, or last owned, the control database. */
export type DaemonRow = {
  readonly pid: number;
  readonly host: string;
  readonly version: string;
  readonly reason: string | null;
  readonly started: Date;
  readonly ready: Date | null;
  readonly stopped: Date | null;
  /** Where it serves its page; null: nowhere. */
  readonly url: string | null;
};

/** True while some process holds the daemon's lock; the row of `readDaemon` says who. */
export async function daemonIsAlive(session: Session): Promise<boolean> {
  const { alive } = await session.one<{ alive: boolean }>(
    sql(
      "control.daemon-alive",
      `select exists (
         select from pg_catalog.pg_locks l
          where l.locktype = 'advisory' and l.granted and l.classid = $1::oid and l.objid = $2::oid and l.objsubid = 2
            and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
       ) as alive`,
      [DAEMON_LOCK.space, DAEMON_LOCK.key],
    ),
  );
  return alive;
}

/** Tries to become the owner; false when another session is. Ends with the session. */
export async function takeDaemonLock(session: Session): Promise<boolean> {
  const { taken } = await session.one<{ taken: boolean }>(
    sql("control.daemon-lock", "select pg_catalog.pg_try_advisory_lock($1, $2) as taken", [DAEMON_LOCK.space, DAEMON_LOCK.key]),
  );
  return taken;
}

export async function readDaemon(session: Session): Promise<DaemonRow | null> {
  const rows = await session.query<DaemonRow>(
    sql(
      "control.daemon-read",
      `select d.pid, d.host, d.version, d.reason, d.started_at as started, d.ready_at as ready, d.stopped_at as stopped, d.http_url as url
         from bucardo.daemon d`,
    ),
  );
  return rows[0] ?? null;
}

/** Writes who owns the control database; the caller holds the lock. `started` is the process's, also after a new connection. */
export async function announceDaemon(
  session: Session,
  who: {
    readonly pid: number;
    readonly host: string;
    readonly version: string;
    readonly reason: string | null;
    readonly started: Date;
    readonly url: string | null;
  },
): Promise<void> {
  await session.execute(
    sql(
      "control.daemon-announce",
      `insert into bucardo.daemon (pid, host, version, reason, started_at, http_url) values ($1, $2, $3, $4, $5, $6)
       on conflict (only_row) do update
         set pid = excluded.pid, host = excluded.host, version = excluded.version, reason = excluded.reason,
             started_at = excluded.started_at, ready_at = null, stopped_at = null, http_url = excluded.http_url`,
      [who.pid, who.host, who.version, who.reason, who.started, who.url],
    ),
  );
}

/** Definitions are loaded and the first runs are scheduled. */
export async function announceReady(session: Session): Promise<void> {
  await session.execute(sql("control.daemon-ready", "update bucardo.daemon set ready_at = pg_catalog.clock_timestamp()"));
}

export async function announceUrl(session: Session, url: string | null): Promise<void> {
  await session.execute(sql("control.daemon-url", "update bucardo.daemon set http_url = $1", [url]));
}

export async function announceStopped(session: Session): Promise<void> {
  await session.execute(
    sql("control.daemon-stopped", "update bucardo.daemon set stopped_at = pg_catalog.clock_timestamp(), http_url = null"),
  );
}

/** Ends the backend with this pid if it holds the daemon's lock; false when it does not. */
export async function endHolder(session: Session, backendPid: number): Promise<boolean> {
  const ended = await session.query(
    sql(
      "control.daemon-end-holder",
      `select pg_catalog.pg_terminate_backend(l.pid) from pg_catalog.pg_locks l
        where l.locktype = 'advisory' and l.granted and l.classid = $1::oid and l.objid = $2::oid and l.objsubid = 2 and l.pid = $3
          and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())`,
      [DAEMON_LOCK.space, DAEMON_LOCK.key, backendPid],
    ),
  );
  return ended.length > 0;
}

/** The error that names the owner of the control database. */
export async function ownedByOther(session: Session): Promise<BucardoError> {
  const owner = await readDaemon(session);
  const who = owner === null ? "another process" : `pid ${owner.pid} on ${owner.host}, since ${owner.started.toISOString()}`;
  return new BucardoError("daemon-running", `a daemon already owns this control database: ${who}`, { db: session.name });
}
