import { randomUUID } from "node:crypto";
import { BucardoError } from "../model/error.ts";
import { firstOf } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import type { Identity } from "../replicate/definition.ts";
import { readIdentity } from "../replicate/identity.ts";
import { isOneDatabase } from "../replicate/one-database.ts";
import { userObjects } from "../schema/user-objects.ts";
import { readFound } from "./found.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";
import { openNewDatabase } from "./new-database.ts";
import { phases } from "./phase.ts";
import {
  createMigration,
  endBrokenSteps,
  readMigration,
  updateMigration,
  upgradeMigration,
  type Migration,
  type MigrationOptions,
} from "./state.ts";

type Ends = { readonly old: Endpoint; readonly new: Endpoint; readonly signal: AbortSignal };

/** The move of this database: the one under way, with what may still be changed, else a new one into an empty database. Changes nothing when it refuses. */
export async function openMigration(ends: Ends, state: Session, wanted: MigrationOptions): Promise<Migration> {
  const under = await readMigration(state);
  if (under === null) return begin(ends, state, wanted);
  await endBrokenSteps(state);
  return goOn(ends, state, under, wanted);
}

async function begin(ends: Ends, state: Session, options: MigrationOptions): Promise<Migration> {
  const { session, made } = await openNewDatabase(ends.new, state, ends.signal);
  await using target = session;
  // Refuses a standby, on either side.
  const [, there] = [await readIdentity(state), await readIdentity(target)];
  if (await isOneDatabase(state, target))
    throw new BucardoError("usage", `${ends.old.place} and ${ends.new.place} are the same database`, {
      advice: "Name another one as --to.",
    });
  const objects = await userObjects(target);
  if (objects.length > 0)
    throw new BucardoError("target-not-empty", `the new database ${ends.new.place} is not empty: ${firstOf(objects)}`, {
      db: "new",
    });
  return await createMigration(state, {
    id: randomUUID(),
    targetPlace: ends.new.place,
    targetIdentity: there,
    found: { ...(await readFound(target)), database: !made },
    options,
  });
}

async function goOn(ends: Ends, state: Session, under: Migration, wanted: MigrationOptions): Promise<Migration> {
  const refuse = (cause?: unknown): never => {
    throw new BucardoError("in-use", `this database is being moved to ${under.targetPlace}; ${ends.new.place} is another one`, {
      db: "old",
      cause,
      advice: `Go on with --to ${under.targetPlace}, or give that move up first: \`bucardo migrate abort\`.`,
    });
  };
  await using target = await openEndpoint(ends.new, "state", ends.signal).catch((error: unknown) =>
    // A database that is not there, under another name than that of the move, is a wrong --to.
    error instanceof BucardoError && error.details.sqlstate === "3D000" && ends.new.place !== under.targetPlace
      ? refuse(error)
      : Promise.reject(error),
  );
  if (!isSame(under.targetIdentity, await readIdentity(target))) refuse();
  const { only, skip } = under.options;
  const chosen = wanted.only.length + wanted.skip.length > 0;
  if (
    chosen &&
    JSON.stringify([only, skip]) !== JSON.stringify([wanted.only, wanted.skip]) &&
    phases.indexOf(under.phase) >= phases.indexOf("capture")
  )
    throw new BucardoError("in-use", "this move has begun with other tables; --only and --skip can no longer be changed", {
      advice: "Leave them out, or give the move up first: `bucardo migrate abort`.",
    });
  await upgradeMigration(state);
  await updateMigration(state, { options: { ...wanted, ...(chosen ? {} : { only, skip }) } });
  return (await readMigration(state)) ?? under;
}

/**
 * Whether what answers now can be the database that was met before: the same number of a server with the same identifier, whose log has not gone back. A copy
 * of the server's files made since cannot be told from it.
 */
export function isSame(before: Identity, now: Identity): boolean {
  return before.system === now.system && before.database === now.database && BigInt(now.lsn) >= BigInt(before.lsn);
}
