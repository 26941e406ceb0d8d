import type { SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { sourcesOf, type Database } from "../../model/sync.ts";
import type { Context } from "../context.ts";
import { checkSync, hasErrors, invalidSync, type SyncCheck } from "./check.ts";
import { compareCapture, type CaptureDifference } from "./difference.ts";

/** What a change of definitions means for capture. */
export type Plan = {
  readonly added: readonly SyncRow[];
  readonly removed: readonly SyncRow[];
  readonly changed: readonly CaptureDifference[];
};

/** Pure. Found by comparing the syncs before and after the rehearsed work. */
export function planChange(before: readonly SyncRow[], after: readonly SyncRow[]): Plan {
  const pairs = after.map((sync) => ({ sync, old: before.find((other) => other.id === sync.id) }));
  return {
    added: pairs.filter(({ old }) => old === undefined).map(({ sync }) => sync),
    removed: before.filter((old) => !after.some((sync) => sync.id === old.id)),
    changed: pairs.flatMap(({ sync, old }) => (old === undefined ? [] : (compareCapture(old, sync) ?? []))),
  };
}

/** Every sync that needs capture, checked; one error for all of them. */
export async function checkAll(context: Context, databases: readonly Database[], plan: Plan): Promise<SyncCheck[]> {
  const wanted = [...plan.added, ...plan.changed.filter(({ grows }) => grows).map(({ sync }) => sync)];
  const checks: SyncCheck[] = [];
  for (const sync of wanted) checks.push(await checkSync(context, sync, databases));
  const bad = checks.filter(({ problems }) => hasErrors(problems));
  const [first] = bad;
  if (first !== undefined)
    throw invalidSync(
      first.sync,
      bad.flatMap(({ problems }) => problems),
    );
  return checks;
}

/** Databases from which something must go but that do not answer; without --force that is an error. */
export async function findUnreachable(context: Context, plan: Plan): Promise<ReadonlySet<string>> {
  const wanted = new Set([
    ...plan.removed.flatMap(sourcesOf),
    ...plan.changed.flatMap(({ before, leftSources, leftTargets, leftTables }) =>
      leftTargets.length + leftTables.length > 0 ? sourcesOf(before) : leftSources,
    ),
  ]);
  const unreachable = new Set<string>();
  for (const db of wanted) {
    try {
      await context.connectTo(db);
    } catch (error) {
      if (!(error instanceof BucardoError)) throw error;
      if (!context.flags.force) {
        const advice = `Nothing was changed. With --force it is removed here, and \`${context.program} validate all\` clears ${db} when it answers again.`;
        throw new BucardoError(error.code, `Our triggers cannot be taken off database "${db}": ${error.message}`, {
          ...error.details,
          advice,
          cause: error,
        });
      }
      unreachable.add(db);
      context.io.err(`Our triggers stay on database "${db}" for now: ${error.message}`);
    }
  }
  return unreachable;
}
