import { BucardoError } from "../model/error.ts";
import type { Checkpoint, Identity, RunDefinition } from "./definition.ts";
import type { SinkPlace } from "./sink.ts";

/** As the checkpoint keeps it. */
export function identityOf({ id, number }: SinkPlace): Identity {
  return { system: id, timeline: 0, database: 0, lsn: String(number) };
}

/** Why this is not where the last run has written, or null. Pure. */
export function placeProblem(before: Identity | null, now: SinkPlace | null): string | null {
  if (before === null) return null;
  if (now === null) return "it has no record of the runs before (another directory, or a file system that is not mounted)";
  if (now.id !== before.system) return "its record is of other runs (another directory, or one that was emptied)";
  if (BigInt(now.number) < BigInt(before.lsn))
    return `its last output is number ${now.number}, but ${before.lsn} was settled: it went back in time`;
  return null;
}

/** The target must be where the checkpoint's last run was written: what is lost there comes from nowhere again. Errors: target-changed. */
export function checkPlace(now: SinkPlace | null, { targetIdentity }: Checkpoint, { sync, target }: RunDefinition): void {
  const problem = placeProblem(targetIdentity, now);
  if (problem === null) return;
  throw new BucardoError("target-changed", `target ${target} of sync ${sync.name} is not what it was: ${problem}`, {
    db: target,
    sync: sync.name,
    advice: `If the directory is the right one: \`bucardo accept ${sync.name} ${target}\` goes on from the checkpoint, \`bucardo update sync ${sync.name} onetimecopy=1\` writes everything again.`,
  });
}
