import { BucardoError } from "../model/error.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** How long a run waits for another one of the same sync, which can only be a remnant of a lost daemon; in milliseconds. */
const PATIENCE_MS = 5000;

/**
 * Begins the target's transaction of a run and locks the sync there; everything else of the run comes after its answer. A late apply of a daemon that
 * lost its lease either ends before, and then shows in the checkpoint, or waits and finds its checkpoint moved (hazard 3).
 */
export async function beginLocked(
  target: Session,
  sync: { readonly id: string; readonly name: string },
  patienceMs = PATIENCE_MS,
): Promise<void> {
  await lock(target, sync, `begin isolation level read committed; ${lockText(sync, "", patienceMs)}`);
}

/** The same within a transaction. Pieces of a copy share the lock among themselves. */
export async function lockTarget(
  target: Session,
  sync: { readonly id: string; readonly name: string },
  who: "run" | "piece" = "run",
): Promise<void> {
  await lock(target, sync, lockText(sync, who === "piece" ? "_shared" : "", PATIENCE_MS));
}

function lockText({ id }: { readonly id: string }, shared: "" | "_shared", patienceMs: number): string {
  const key = BigInt.asIntN(64, BigInt(`0x${id.replaceAll("-", "").slice(0, 16)}`));
  return `set local lock_timeout = '${patienceMs}ms'; select pg_advisory_xact_lock${shared}(${key}); set local lock_timeout = 0`;
}

async function lock(target: Session, sync: { readonly name: string }, text: string): Promise<void> {
  try {
    await target.script(sql("replicate.lock", text));
  } catch (error) {
    if (sqlstateOf(error) !== "55P03") throw error;
    throw new BucardoError("lock-timeout", `another run of sync ${sync.name} is still at work on ${target.name}`, {
      db: target.name,
      sync: sync.name,
      sqlstate: "55P03",
      advice:
        "Nothing to do when a daemon was just restarted. Otherwise look for a second daemon: select * from pg_locks where locktype = 'advisory' on the target.",
      cause: error,
    });
  }
}
