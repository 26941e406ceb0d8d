import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { dropCopyState } from "../copy/state.ts";
import { releaseMove } from "./release.ts";
import { emptyTarget } from "./empty-target.ts";
import { openEndpoint } from "./endpoint.ts";
import { lockMigration } from "./lock.ts";
import { NEW, syncOf, type MoveContext } from "./move.ts";
import { dropMadeRoles, readMadeRoles, type MadeRoles } from "./made-roles.ts";
import { dropNewDatabase, openMaintenance } from "./new-database.ts";
import { handOver } from "./sibling.ts";
import { refuseDecided, requireSameNew } from "./decided.ts";
import { dropMigration, requireMigration, type Migration } from "./state.ts";

type AbortContext = Pick<MoveContext, "old" | "new" | "signal" | "onMessage">;

/**
 * Gives a move up before the cutover: the new side becomes what it was before, the old one loses everything of ours. May be repeated after an
 * interruption. Errors: migration-missing, in-use (switched over: go back first), cutover-unfinished, target-changed.
 */
export async function abort(context: AbortContext, options: { readonly keepNew: boolean }): Promise<Migration> {
  await using state = await openEndpoint(context.old, "abort", context.signal);
  await lockMigration(state, context.signal);
  const migration = await requireMigration(state);
  if (migration.openSide === "new")
    throw new BucardoError("in-use", "This move was switched over: the new side holds changes that the old one may not have.", {
      advice: "`bucardo migrate switchback` first, or `bucardo migrate finish` to stay on the new side.",
    });
  if (!options.keepNew) {
    await refuseDecided(state, migration);
    const made = await readMadeRoles(state);
    const stay = await handOver(context, state, migration, made);
    if (stay) context.onMessage("roles stay: another database is being moved to that server, and its move drops them when it is given up");
    await clearNew(context, migration, stay ? { roles: [], memberships: [] } : made);
  }
  await releaseMove(state, migration.id);
  await dropCopyState(state, { sync: syncOf(migration), target: NEW });
  await dropMigration(state);
  return migration;
}

/** Only the very database that the move was begun with. */
async function clearNew(context: AbortContext, migration: Migration, made: MadeRoles): Promise<void> {
  {
    await using target = await openNewOrNone(context);
    if (target === null) refuseOtherPlace(context, migration);
    else {
      await requireSameNew(
        context.new.place,
        target,
        migration,
        "Name that one as --to, or pass --keep-new to leave the new side as it is.",
      );
      await emptyTarget(target, migration.found);
      if (migration.found.database) return await dropMadeRoles(target, made, context.onMessage);
    }
  }
  if (!migration.found.database) await dropNewDatabase(context.new, context.signal);
  if (made.roles.length + made.memberships.length === 0) return;
  await using server = await openMaintenance(context.new, context.signal);
  await dropMadeRoles(server, made, context.onMessage);
}

/** The database is gone, and with it all that the move made there; unless another name was given. Errors: in-use. */
function refuseOtherPlace({ new: given, onMessage }: AbortContext, { targetPlace }: Migration): void {
  if (given.place !== targetPlace)
    throw new BucardoError("in-use", `this database is being moved to ${targetPlace}; ${given.place} is not there`, {
      db: "new",
      advice: `Name ${targetPlace} as --to, or pass --keep-new to leave the new side as it is.`,
    });
  onMessage(`${given.place} is gone; nothing to clear there`);
}

async function openNewOrNone(context: AbortContext): Promise<Session | null> {
  try {
    return await openEndpoint(context.new, "abort", context.signal);
  } catch (error) {
    if (error instanceof BucardoError && error.details.sqlstate === "3D000") return null;
    throw error;
  }
}
