import { BucardoError } from "../model/error.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, sql } from "../postgres/sql.ts";
import type { RunDefinition } from "./definition.ts";

/** As for any run: another one can only be a remnant of a lost daemon. */
const PATIENCE = "5s";

/**
 * Two sources of one sync exchange their changes one direction after the other: no remnant of a lost daemon may be at it meanwhile, on either side. Held by
 * the sessions and not by the transactions, because a snapshot must be younger than the lock. Taken in one order by everybody; a connection that is
 * lost gives it back.
 */
export async function withEdgeLock<T>(source: Session, target: Session, definition: RunDefinition, work: () => Promise<T>): Promise<T> {
  const [first, second] = definition.source < definition.target ? [source, target] : [target, source];
  const key = `bucardo ${definition.sync.id} ${[definition.source, definition.target].toSorted().join(" ")}`;
  await lock(first, key, definition);
  try {
    await lock(second, key, definition);
    try {
      return await work();
    } finally {
      await unlock(second, key);
    }
  } finally {
    await unlock(first, key);
  }
}

/** The same where the target is no server: whoever writes there for the sync has the lock on the source. */
export async function withSinkLock<T>(source: Session, definition: RunDefinition, work: () => Promise<T>): Promise<T> {
  const key = `bucardo ${definition.sync.id} ${definition.target}`;
  await lock(source, key, definition);
  try {
    return await work();
  } finally {
    await unlock(source, key);
  }
}

async function lock(session: Session, key: string, { sync }: RunDefinition): Promise<void> {
  try {
    await session.batch([
      sql("replicate.edge-patience", `set lock_timeout = '${PATIENCE}'`),
      prepared("replicate.edge-lock", "select pg_advisory_lock(hashtext($1)::bigint * 4294967296 + hashtext('bucardo ' || $1)::bigint)", [
        key,
      ]),
      sql("replicate.edge-patience", "set lock_timeout = 0"),
    ]);
  } catch (error) {
    if (sqlstateOf(error) !== "55P03") throw error;
    throw new BucardoError("lock-timeout", `another run of sync ${sync.name} is still at work on ${session.name}`, {
      db: session.name,
      sync: sync.name,
      sqlstate: "55P03",
      cause: error,
    });
  }
}

async function unlock(session: Session, key: string): Promise<void> {
  if (session.lost.aborted) return;
  const text = "select pg_advisory_unlock(hashtext($1)::bigint * 4294967296 + hashtext('bucardo ' || $1)::bigint)";
  await session.query(prepared("replicate.edge-unlock", text, [key])).catch(() => session.close());
}

/** An application changed a row that the run was about to write, since its snapshot: now there is more to know (hazard 4). */
export function againWhenOvertaken(error: unknown): unknown {
  if (!["40001", "40P01"].includes(sqlstateOf(error) ?? "")) return error;
  return new BucardoError("run-void", "a row was changed while the run was about to write it", { cause: error });
}
