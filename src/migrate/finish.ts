import { carriedSyncs } from "../capture/of-installation.ts";
import { dropCopyState } from "../copy/state.ts";
import { BucardoError } from "../model/error.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { readComparedTables, type ComparedTable } from "./compared-table.ts";
import { refuseDecided, requireSameNew } from "./decided.ts";
import { openEndpoint } from "./endpoint.ts";
import { lockMigration } from "./lock.ts";
import { NEW, SYNC_NAME, syncOf, type MoveContext } from "./move.ts";
import { releaseMove } from "./release.ts";
import { claimRoles } from "./sibling.ts";
import { dropMigration, requireMigration, type Migration } from "./state.ts";

export type FinishOptions = {
  /** The old server is gone, or may stay as it is: only the new side is cleaned. */
  readonly withoutOld: boolean;
  /** The old database is left read-only, so that a forgotten client cannot write to it. */
  readonly oldReadOnly: boolean;
};

/**
 * Ends a move after its cutover: neither side carries anything of ours any more, and there is no way back. May be repeated after an interruption. Returns what was
 * compared; nothing where the old side is not asked. Errors: migration-missing, in-use (not switched over yet), target-changed, cutover-unfinished.
 */
export async function finish(
  context: Pick<MoveContext, "old" | "new" | "signal">,
  options: FinishOptions,
): Promise<readonly ComparedTable[]> {
  if (options.withoutOld) {
    await cleanNew(context, null);
    return [];
  }
  await using old = await openEndpoint(context.old, "finish", context.signal);
  await lockMigration(old, context.signal);
  const migration = await requireMigration(old);
  if (migration.openSide === "old")
    throw new BucardoError("in-use", "This move is not switched over: applications still write to the old side.", {
      advice: "`bucardo migrate cutover` first, or `bucardo migrate abort` to give it up.",
    });
  await checkNew(context, migration);
  const tables = await readComparedTables(old, migration);
  await cleanNew(context, migration.id);
  await claimRoles(context, old, migration);
  if (options.oldReadOnly) await makeReadOnly(old);
  await releaseMove(old, migration.id);
  await dropCopyState(old, { sync: syncOf(migration), target: NEW });
  await dropMigration(old);
  return tables;
}

/** Errors: target-changed, cutover-unfinished (a switchback that was decided). */
async function checkNew(context: Pick<MoveContext, "new" | "signal">, migration: Migration): Promise<void> {
  await using session = await openEndpoint(context.new, "finish", context.signal);
  await requireSameNew(context.new.place, session, migration, `The move is one to ${migration.targetPlace}: name that as --to.`);
  await refuseDecided(session, migration);
}

/** `move` null: whatever move has its way back there. */
async function cleanNew(context: Pick<MoveContext, "new" | "signal">, move: string | null): Promise<void> {
  await using session = await openEndpoint(context.new, "finish", context.signal);
  const moves = (await carriedSyncs(session)).filter(({ name }) => name === SYNC_NAME).map(({ installation }) => installation);
  for (const each of new Set(moves)) if (move === null || each === move) await releaseMove(session, each);
}

/** Needs the owner of the database, or a superuser; sessions that are connected keep what they have. */
async function makeReadOnly(old: Session): Promise<void> {
  const { name } = await old.one<{ name: string }>(sql("migrate.database-name", "select pg_catalog.current_database()::text as name"));
  await old.script(sql("migrate.read-only", `alter database ${quoteIdent(name)} set default_transaction_read_only = on`));
}
