import { BucardoError } from "../model/error.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** How long a run waits for another one of the same sync, which can only be a remnant of a lost daemon. */
const PATIENCE = "5s";

/**
 * The first statement of the target's transaction; everything else of a run comes after its answer. A late apply of a daemon that lost its lease
 * either ends before, and then shows in the checkpoint, or waits and finds its checkpoint moved (hazard 3).
 */
export async function lockTarget(target: Session, sync: { readonly id: string; readonly name: string }): Promise<void> {
  const key = BigInt.asIntN(64, BigInt(`0x${sync.id.replaceAll("-", "").slice(0, 16)}`));
  try {
    await target.script(
      sql("replicate.lock", `set local lock_timeout = '${PATIENCE}'; select pg_advisory_xact_lock(${key}); set local lock_timeout = 0`),
    );
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
