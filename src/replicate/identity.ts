import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, sql } from "../postgres/sql.ts";
import type { Checkpoint, Identity } from "./definition.ts";
import type { Member } from "./member.ts";

const known = new WeakMap<Session, Identity>();

/** Connections whose identity was compared with a checkpoint: a living connection cannot change server, timeline or database, or go back in time. */
const compared = new WeakSet<Session>();

/**
 * Which server, timeline and database a session talks to; asked once per connection, because a connection cannot change it.
 * A standby is refused: its snapshots have an empty xip (hazard 32).
 */
export async function readIdentity(session: Session): Promise<Identity> {
  const there = known.get(session);
  if (there !== undefined) return there;
  const { standby } = await session.one<{ standby: boolean }>(sql("identity.standby", "select pg_is_in_recovery() as standby"));
  if (standby)
    throw new BucardoError("server-not-ready", `database ${session.name} is on a standby`, {
      db: session.name,
      advice: "Register its primary, or promote it.",
    });
  const identity = await session.one<Identity>(
    sql(
      "identity.read",
      `select (select system_identifier::text from pg_control_system()) as system,
              ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline,
              (select oid from pg_database where datname = current_database()) as database,
              (pg_current_wal_lsn() - '0/0'::pg_lsn)::text as lsn`,
    ),
  );
  known.set(session, identity);
  return identity;
}

/** The transaction that a run writes in, and how far the target's log had come by then. */
export type Position = { readonly xid: number; readonly lsn: string };

export async function positionOf(target: Session): Promise<Position> {
  return await target.one<Position>(
    prepared("replicate.target-xid", "select txid_current() as xid, (pg_current_wal_lsn() - '0/0'::pg_lsn)::text as lsn"),
  );
}

/** Why a side is not the one that the checkpoint belongs to, or null. Pure. */
export function identityProblem(before: Identity | null, now: Identity): string | null {
  if (before === null) return null;
  if (before.system !== now.system)
    return `another server answers (system identifier ${now.system ?? "unknown"} instead of ${before.system ?? "unknown"})`;
  if (before.database !== now.database) return "another database of that name answers (it was dropped and made again, or restored)";
  if (before.timeline !== now.timeline)
    return `the server is on timeline ${now.timeline}, not ${before.timeline}: a standby was promoted or a backup restored`;
  if (BigInt(now.lsn) < BigInt(before.lsn)) return "the server's log is behind what it was: it went back in time";
  return null;
}

/** Hazards 1, 5: a checkpoint counts only on the incarnation it was made on. `remembered`: settled runs that the control database knows of. */
export async function checkSource(
  source: Session,
  sync: string,
  checkpoint: Checkpoint,
  xmax: number,
  remembered: number | null,
): Promise<Identity> {
  const identity = await readIdentity(source);
  const problem =
    (compared.has(source) ? null : identityProblem(checkpoint.sourceIdentity, identity)) ??
    (xmax < checkpoint.snapshot.xmax ? "its transaction ids are behind the checkpoint" : null) ??
    (remembered !== null && checkpoint.run < remembered
      ? `its checkpoint is run ${checkpoint.run}, but run ${remembered} was settled: it went back in time`
      : null);
  if (problem !== null)
    throw new BucardoError("source-changed", `source ${source.name} of sync ${sync} is not what it was: ${problem}`, {
      db: source.name,
      sync,
    });
  compared.add(source);
  return identity;
}

/** Hazard 6: the target must still hold the last run; a lost commit is lost for ever when its deltas are purged. */
export async function checkTarget({ session, lastXid }: Member, sync: string, checkpoint: Checkpoint): Promise<Identity> {
  const identity = await readIdentity(session);
  const problem =
    (compared.has(session) ? null : identityProblem(checkpoint.targetIdentity, identity)) ??
    (lastXid !== null && lastXid === checkpoint.targetXid ? null : await lostRun(session, checkpoint.targetXid));
  if (problem !== null)
    throw new BucardoError("target-changed", `target ${session.name} of sync ${sync} is not what it was: ${problem}`, {
      db: session.name,
      sync,
    });
  compared.add(session);
  return identity;
}

async function lostRun(target: Session, xid: number | null): Promise<string | null> {
  if (xid === null) return null;
  const { next } = await target.one<{ next: number }>(
    sql("identity.next-xid", "select txid_snapshot_xmax(txid_current_snapshot()) as next"),
  );
  if (xid >= next) return "it has not reached the transaction of the last run yet: it went back in time";
  const { status } = await target.one<{ status: string | null }>(sql("identity.last-run", "select txid_status($1) as status", [xid]));
  // null: too long ago for the server to know, so not lost by a crash either
  return status === null || status === "committed" ? null : `the last run's transaction is ${status} there`;
}
