import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { quoteIdent } from "../postgres/quote.ts";
import { sql } from "../postgres/sql.ts";
import { dropCopyState } from "../copy/state.ts";
import { releaseMove } from "./release.ts";
import { emptyTarget } from "./empty-target.ts";
import { openEndpoint } from "./endpoint.ts";
import { lockMigration } from "./lock.ts";
import { NEW, syncOf, type MoveContext } from "./move.ts";
import { dropNewDatabase } from "./new-database.ts";
import { refuseDecided, requireSameNew } from "./decided.ts";
import { dropMigration, readObjects, requireMigration, type Migration } from "./state.ts";

type AbortContext = Pick<MoveContext, "old" | "new" | "signal" | "onMessage">;

/**
 * Gives a move up before the cutover: the new side becomes what it was before, the old one loses everything of ours. May be repeated after an
 * interruption. Errors: migration-missing, in-use (switched over: go back first), cutover-unfinished, target-changed.
 */
export async function abort(context: AbortContext, options: { readonly keepNew: boolean }): Promise<Migration> {
  await using state = await openEndpoint(context.old, "abort", context.signal);
  await lockMigration(state);
  const migration = await requireMigration(state);
  if (migration.openSide === "new")
    throw new BucardoError("in-use", "This move was switched over: the new side holds changes that the old one may not have.", {
      advice: "`bucardo migrate switchback` first, or `bucardo migrate finish` to stay on the new side.",
    });
  if (!options.keepNew) {
    await refuseDecided(state, migration);
    await clearNew(context, migration, await madeRoles(state));
  }
  await releaseMove(state, migration.id);
  await dropCopyState(state, { sync: syncOf(migration), target: NEW });
  await dropMigration(state);
  return migration;
}

/** Only the very database that the move was begun with. */
async function clearNew(context: AbortContext, migration: Migration, roles: readonly string[]): Promise<void> {
  {
    await using target = await openNewOrNone(context);
    if (target === null) {
      if (context.new.place !== migration.targetPlace)
        throw new BucardoError("in-use", `this database is being moved to ${migration.targetPlace}; ${context.new.place} is not there`, {
          db: "new",
          advice: `Name ${migration.targetPlace} as --to, or pass --keep-new to leave the new side as it is.`,
        });
      context.onMessage(`${context.new.place} is gone; nothing to clear there`);
      return;
    }
    await requireSameNew(context.new.place, target, migration, "Name that one as --to, or pass --keep-new to leave the new side as it is.");
    await emptyTarget(target, migration.found);
    if (migration.found.database) await dropRoles(target, roles, context.onMessage);
  }
  if (migration.found.database) return;
  await dropNewDatabase(context.new, context.signal);
}

async function openNewOrNone(context: AbortContext): Promise<Session | null> {
  try {
    return await openEndpoint(context.new, "abort", context.signal);
  } catch (error) {
    if (error instanceof BucardoError && error.details.sqlstate === "3D000") return null;
    throw error;
  }
}

/** Roles that this move made on the new server, by the statements it remembers. */
async function madeRoles(state: Session): Promise<string[]> {
  const objects = await readObjects(state);
  return objects.flatMap(({ object, outcome }) => (outcome === "done" && object.startsWith("ROLE ") ? [object.slice("ROLE ".length)] : []));
}

async function dropRoles(target: Session, roles: readonly string[], onMessage: (line: string) => void): Promise<void> {
  for (const role of roles) {
    try {
      await target.script(sql("migrate.drop-role", `drop role if exists ${quoteIdent(role)}`));
    } catch (error) {
      // Another database of that server uses it by now.
      if (!(error instanceof BucardoError) || error.details.sqlstate === undefined) throw error;
      onMessage(`role ${role} stays: ${error.message}`);
    }
  }
}
