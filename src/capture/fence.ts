import { BucardoError } from "../model/error.ts";
import type { QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { refuseHeld } from "./blocker.ts";
import { armText, disarmText, FOR_GOOD, GUARD_FUNCTION, GUARD_TRIGGER, NOW_MICROSECONDS, unarmedText } from "./fence-text.ts";
import { captureVersion, lockCapture, usesCaptureRole } from "./schema.ts";
import { CAPTURE_ROLE } from "./name.ts";
import { treeOf, treeStatement } from "./tree.ts";

/**
 * The fence keeps writers of every role off the captured tables of one sync, and lets readers go on. Two steps, so that closing is one small statement
 * whatever the number of tables: arming puts a question in front of each trigger function, a while before; closing, and opening, changes only the answer.
 *
 *   armFence -> closeFence (for so long) -> waitForWriters -> makePermanent
 *                                        `-> openFence -> disarmFence
 *
 * Not covered: nextval, DDL, large objects, sessions whose replication role is replica (our own runs among them), tables that came later.
 */
export type Fence = {
  /** open: usual functions; armed: they ask first; closed: for good. */
  readonly state: "open" | "armed" | "closed";
  /** Writers are refused at this moment. */
  readonly refuses: boolean;
  /** How long yet, in milliseconds; null when not, or for good. */
  readonly leftMs: number | null;
};

export type FenceRequest = {
  readonly sync: string;
  /** Tables without capture that are fenced too: they get a trigger of their own. */
  readonly uncaptured?: readonly QualifiedName[];
  /** Told to those who are refused. */
  readonly hint: string;
  /** How long each lock on a table without capture may be waited for; default 1000. */
  readonly lockTimeoutMs?: number;
};

/** Null: nothing of ours is there. */
export async function readFence(source: Session): Promise<Fence | null> {
  if ((await captureVersion(source)) === 0) return null;
  return source.one<Fence>(
    sql(
      "capture.read-fence",
      `select c.fence as state, f.last_value > ${NOW_MICROSECONDS} as refuses,
              case when f.last_value > ${NOW_MICROSECONDS} and f.last_value <> ${FOR_GOOD} then (f.last_value - ${NOW_MICROSECONDS})::float8 / 1000 end as "leftMs"
         from bucardo.capture c, bucardo.fence_until f`,
    ),
  );
}

/**
 * From its commit on every new statement on these tables asks whether it may. Takes no lock on captured tables; nobody is refused yet, but each statement
 * costs its writer some microseconds more, and delta tables cannot take turns, until `disarmFence`. May be repeated. Errors: in-use, checkpoint-missing, lock-timeout.
 */
export async function armFence(source: Session, request: FenceRequest): Promise<void> {
  await transaction(source, {}, async () => {
    await lockCapture(source);
    const captured = await capturedBy(source, request.sync);
    await source.execute(
      sql("capture.arm-state", "update bucardo.capture set fence = case fence when 'closed' then fence else 'armed' end, fence_hint = $1", [
        request.hint,
      ]),
    );
    await source.script(sql("capture.arm", armText(captured)));
    const unarmed = await source.query(sql("capture.unarmed", unarmedText(captured)));
    if (unarmed.length > 0)
      throw new BucardoError("internal", `${unarmed.length} trigger functions of ${source.name} have no place for the fence`, {
        db: source.name,
      });
    await source.script(sql("capture.fence-guard", GUARD_FUNCTION));
    if (await usesCaptureRole(source))
      await source.script(sql("capture.fence-guard-owner", `alter function bucardo.fence_guard() owner to ${CAPTURE_ROLE}`));
  });
  for (const table of request.uncaptured ?? []) {
    const [found] = await source.batch([treeStatement(table)]);
    // A statement fires the triggers of the table that it names: each partition has its own.
    for (const part of treeOf(found!.rows)?.parts ?? []) await guard(source, part, request.lockTimeoutMs ?? 1000);
  }
}

/** None for a sync of tables without key: then only guards stand. Errors: checkpoint-missing. */
async function capturedBy(source: Session, sync: string): Promise<number[]> {
  const rows = await source.query<{ id: number }>(
    sql("capture.captured-by", "select distinct captured_table as id from bucardo.subscription where sync = $1 order by 1", [sync]),
  );
  const { known } = await source.one<{ known: boolean }>(
    sql("capture.known-sync", "select exists (select from bucardo.checkpoint where sync = $1) as known", [sync]),
  );
  if (!known) throw new BucardoError("checkpoint-missing", `nothing is captured on ${source.name} for this sync`, { db: source.name });
  return rows.map(({ id }) => id);
}

/** Before each statement, as nothing else of ours stands on it. */
async function guard(source: Session, table: QualifiedName, lockTimeoutMs: number): Promise<void> {
  await transaction(source, {}, async () => {
    const [there] = await source.query(
      sql("capture.find-guard", "select from pg_trigger where tgrelid = to_regclass($1) and tgname = $2", [
        quoteName(table),
        GUARD_TRIGGER,
      ]),
    );
    if (there !== undefined) return;
    await refuseHeld(source, table, "create trigger", lockTimeoutMs);
    await source.script(
      sql(
        "capture.create-guard",
        `set local lock_timeout = ${Math.trunc(lockTimeoutMs)};
         create trigger ${GUARD_TRIGGER} before insert or update or delete or truncate on ${quoteName(table)} for each statement execute procedure bucardo.fence_guard()`,
      ),
    );
  });
}

/**
 * Closes an armed fence for so many milliseconds of the source's clock, for all sessions at once and whatever their snapshot; durable when it returns.
 * Transactions that wrote before go on: `waitForWriters`. Errors: in-use (not armed, or closed for good).
 */
export async function closeFence(source: Session, forMs: number): Promise<void> {
  const [row] = await source.query(
    sql(
      "capture.close-fence",
      `select setval('bucardo.fence_until', ${NOW_MICROSECONDS} + $1::int8 * 1000) from bucardo.capture where fence = 'armed'`,
      [Math.trunc(forMs)],
    ),
  );
  if (row === undefined)
    throw new BucardoError("in-use", `the fence of ${source.name} is not armed, or closed for good`, { db: source.name });
}

/** Writers may write again at once. The functions still ask: `disarmFence`. */
export async function openFence(source: Session): Promise<void> {
  await source.script(
    sql("capture.open-fence", "select setval('bucardo.fence_until', 0); update bucardo.capture set fence = 'armed' where fence = 'closed'"),
  );
}

/** Gives the trigger functions their usual text again and takes the triggers of tables without capture away. May be repeated. Errors: lock-timeout. */
export async function disarmFence(source: Session, lockTimeoutMs = 1000): Promise<void> {
  await transaction(source, {}, async () => {
    await lockCapture(source);
    await source.script(sql("capture.disarm", disarmText()));
    await source.script(
      sql("capture.disarm-state", "select setval('bucardo.fence_until', 0); update bucardo.capture set fence = 'open', fence_hint = null"),
    );
  });
  await dropGuards(source, lockTimeoutMs);
  await source.script(sql("capture.drop-fence-guard", "drop function if exists bucardo.fence_guard()"));
}

/** The triggers of tables without capture, wherever they are. Errors: lock-timeout. */
export async function dropGuards(source: Session, lockTimeoutMs: number): Promise<void> {
  const guarded = await source.query<{ schema: string; name: string }>(
    sql(
      "capture.guarded",
      `select n.nspname as schema, c.relname as name from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
        where t.tgfoid = to_regproc('bucardo.fence_guard') and not t.tgisinternal`,
    ),
  );
  for (const table of guarded) await unguard(source, table, lockTimeoutMs);
}

async function unguard(source: Session, table: QualifiedName, lockTimeoutMs: number): Promise<void> {
  await transaction(source, {}, async () => {
    await refuseHeld(source, table, "drop trigger", lockTimeoutMs);
    await source.script(
      sql(
        "capture.drop-guard",
        `set local lock_timeout = ${Math.trunc(lockTimeoutMs)}; drop trigger if exists ${GUARD_TRIGGER} on ${quoteName(table)}`,
      ),
    );
  });
}

/**
 * The point of no return: closed for good, if it has been closed without a gap until now. First for good and then the look at the clock, so that no moment
 * lies between them in which somebody could have written. Errors: fence-expired; the source is then open.
 */
export async function makePermanent(source: Session): Promise<void> {
  try {
    await source.script(sql("capture.fence-for-good", PERMANENT));
  } catch (error) {
    if (sqlstate(error) !== EXPIRED) throw error;
    throw new BucardoError("fence-expired", `the time for which ${source.name} was closed ran out before the move was decided`, {
      db: source.name,
    });
  }
}

const EXPIRED = "BU002";

const PERMANENT = `do $permanent$
declare
  until bigint := (select last_value from bucardo.fence_until);
begin
  perform setval('bucardo.fence_until', ${FOR_GOOD});
  if ${NOW_MICROSECONDS} >= until then
    perform setval('bucardo.fence_until', 0);
    raise exception using errcode = '${EXPIRED}', message = 'the fence has opened';
  end if;
  update bucardo.capture set fence = 'closed';
end $permanent$`;

function sqlstate(error: unknown): string | undefined {
  return error instanceof BucardoError ? error.details.sqlstate : undefined;
}

/** For the new side, where nobody may write before the switch: closed for good from the beginning. Errors: in-use (not armed). */
export async function closeForGood(target: Session): Promise<void> {
  const closed = await target.execute(
    sql(
      "capture.close-for-good",
      `update bucardo.capture set fence = 'closed' where fence in ('armed', 'closed') and setval('bucardo.fence_until', ${FOR_GOOD}) is not null`,
    ),
  );
  if (closed === 0) throw new BucardoError("in-use", `the fence of ${target.name} is not armed`, { db: target.name });
}
