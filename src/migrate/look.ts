import { isDecided } from "./decided.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";
import { lockHolder } from "./lock.ts";
import { syncOf } from "./move.ts";
import { readSteps, requireMigration, type Migration, type Step } from "./state.ts";
import { captureVersion } from "../capture/schema.ts";
import { countDeltas, lagOf } from "../capture/pending.ts";
import type { Lag } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";

/** A move as anybody may see it who reads the old side: nothing is locked or changed. */
export type Look = {
  readonly migration: Migration;
  readonly steps: readonly Step[];
  /** Who works on it; null: nobody. */
  readonly worker: { readonly pid: number; readonly what: string } | null;
  /** What waits to be carried, from the side that is open to the other; null before capture. */
  readonly lag: Lag | null;
  /** A cutover was decided and broke off before it was noted. */
  readonly decided: boolean;
};

export async function openLook(old: Endpoint, signal: AbortSignal): Promise<Session> {
  return openEndpoint(old, "watch", signal);
}

/** Errors: migration-missing. */
export async function lookAt(old: Session): Promise<Look> {
  const migration = await requireMigration(old);
  return {
    migration,
    steps: await readSteps(old),
    worker: await lockHolder(old),
    lag: await lagFrom(old, migration),
    decided: migration.openSide === "old" && (await isDecided(old)),
  };
}

async function lagFrom(old: Session, migration: Migration): Promise<Lag | null> {
  if (migration.openSide === "new" || (await captureVersion(old)) === 0) return null;
  return lagOf(await countDeltas(old, [syncOf(migration).id]));
}
