import { sleep } from "../../base/sleep.ts";
import type { Session } from "../../postgres/session.ts";
import { sql } from "../../postgres/sql.ts";
import type { Context } from "../context.ts";

/** Held by a command that changes syncs, from its first look to its last step: what it has checked is still so when it commits.
 * The control database may be a source too: keys 1 (daemon), 2 and 3 (capture/name.ts) are taken. */
const LOCK = { space: 0x6275, key: 4 } as const;

const LOOK_MS = 200;

/** Waits, and says so, while another command changes definitions. The lock ends with the session at the latest. */
export async function withDefinitionLock<T>(context: Context, control: Session, work: () => Promise<T>): Promise<T> {
  for (let tries = 0; !(await tryLock(control)); tries += 1) {
    if (tries === 1) context.io.err("Waiting: another command is changing definitions.");
    await sleep(LOOK_MS, context.signal);
  }
  try {
    return await work();
  } finally {
    if (!control.lost.aborted)
      await control.execute(sql("sync.definition-unlock", "select pg_advisory_unlock($1, $2)", [LOCK.space, LOCK.key]));
  }
}

async function tryLock(control: Session): Promise<boolean> {
  const { locked } = await control.one<{ locked: boolean }>(
    sql("sync.definition-lock", "select pg_try_advisory_lock($1, $2) as locked", [LOCK.space, LOCK.key]),
  );
  return locked;
}
