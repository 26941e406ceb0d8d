import { backoff } from "../../base/backoff.ts";
import { sleep } from "../../base/sleep.ts";
import { installCapture } from "../../capture/install.ts";
import type { CaptureRelation, CaptureRequest } from "../../capture/request.ts";
import { releaseSync } from "../../capture/release.ts";
import { resolveSettings, type Settings } from "../../config/setting.ts";
import { readSettings } from "../../control/setting.ts";
import { readInstallation } from "../../control/installation.ts";
import { BucardoError } from "../../model/error.ts";
import { retries } from "../../model/retry.ts";
import { displayName } from "../../model/name.ts";
import { carriesChanges, receiversOf, sourcesOf, type SyncDefinition } from "../../model/sync.ts";
import { nameOn, relationsOn } from "../../model/terms.ts";
import type { Context } from "../context.ts";

type Only = Parameters<typeof releaseSync>[2];

/**
 * Installs, or completes, what the sync needs on its sources. Says so while it waits for other sessions. `owed`: what of it is missing now is copied
 * whole; of all else only changes count. `relations` by their names on the first source.
 */
export async function capture(
  context: Context,
  sync: SyncDefinition,
  relations: readonly CaptureRelation[],
  owed: SyncDefinition | null = null,
): Promise<void> {
  if (!carriesChanges(sync)) return;
  const sources = sourcesOf(sync);
  const control = await context.control();
  const settings = await settingsOf(context);
  const installation = await readInstallation(control);
  for (const source of sources) {
    await installCapture(await context.connectTo(source), {
      sync: { id: sync.id, name: sync.name },
      installation,
      targets: receiversOf(sync, source),
      relations: relationsThere(sync, relations, source),
      promised: promisedBy(owed, source),
      stamped: sources.length > 1,
      lockTimeoutMs: settings.lock_timeout,
      attempts: settings.lock_attempts,
      signal: context.signal,
      onBlocked: (message) => context.io.err(`Waiting: ${message}`),
    });
  }
}

/** The same relations as another source calls them. */
function relationsThere(sync: SyncDefinition, relations: readonly CaptureRelation[], source: string): CaptureRelation[] {
  const [first = ""] = sourcesOf(sync);
  const names = new Map(sync.relations.map((relation) => [displayName(nameOn(sync, relation, first)), nameOn(sync, relation, source)]));
  return relations.map((relation) => ({ ...relation, name: names.get(displayName(relation.name)) ?? relation.name }));
}

function promisedBy(before: SyncDefinition | null, source: string): CaptureRequest["promised"] {
  const targets = before === null ? [] : receiversOf(before, source);
  return before === null || targets.length === 0 ? undefined : { targets, tables: relationsOn(before, source) };
}

/** Takes the sync, or a part of it, off one database; patient with tables that are locked for a while. */
export async function release(context: Context, db: string, syncId: string, only: Only = {}): Promise<void> {
  const session = await context.connectTo(db);
  await patiently(context, () => releaseSync(session, syncId, only));
}

/** Repeats what another session's lock has stopped, and says so meanwhile. */
export async function patiently(context: Context, work: () => Promise<void>): Promise<void> {
  const { lock_attempts: attempts } = await settingsOf(context);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BucardoError) || (error.code !== "lock-timeout" && error.code !== "serialization") || attempt >= attempts)
        throw error;
      context.io.err(`Waiting: ${error.message}`);
      await sleep(backoff(attempt, retries.tableLock), context.signal);
    }
  }
}

export async function settingsOf(context: Context): Promise<Settings> {
  return resolveSettings(await readSettings(await context.control()), context.config.overrides);
}
