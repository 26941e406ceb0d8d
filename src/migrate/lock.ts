import { sleep } from "../base/sleep.ts";
import { LOCK_CLASS } from "../capture/name.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

const LOCK_MIGRATION = 7;

/** The session of a command that was killed outlives it for a moment: whoever repeats the command at once is not to be refused. */
const PATIENCE_MS = 3000;
const LOOK_MS = 50;

/** One command at a time works on a move; the lock dies with its connection. Errors: in-use, naming the other's pid. */
export async function lockMigration(old: Session, signal: AbortSignal): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(LOOK_MS, signal)) {
    const { held } = await old.one<{ held: boolean }>(
      sql("migrate.lock", `select pg_catalog.pg_try_advisory_lock(${LOCK_CLASS}, ${LOCK_MIGRATION}) as held`),
    );
    if (held) return;
  }
  const holder = await lockHolder(old);
  throw new BucardoError(
    "in-use",
    `another command is working on this move${holder === null ? "" : `: ${holder.what}, backend ${holder.pid} of the old server`}`,
    {
      db: old.name,
      advice: "Look at it with `bucardo migrate watch`; this one may come when it has ended.",
    },
  );
}

export async function unlockMigration(old: Session): Promise<void> {
  await old.query(sql("migrate.unlock", `select pg_catalog.pg_advisory_unlock(${LOCK_CLASS}, ${LOCK_MIGRATION})`));
}

/** Who works on the move right now; null: nobody. */
export async function lockHolder(old: Session): Promise<{ pid: number; what: string } | null> {
  const [holder] = await old.query<{ pid: number; what: string }>(
    sql(
      "migrate.lock-holder",
      `select a.pid, a.application_name as what from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
        where l.locktype = 'advisory' and l.classid = ${LOCK_CLASS} and l.objid = ${LOCK_MIGRATION} and l.granted
          and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) limit 1`,
    ),
  );
  return holder ?? null;
}
