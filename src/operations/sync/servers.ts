import { readDatabases } from "../../control/database.ts";
import type { SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { filesOf, targetsOf } from "../../model/sync.ts";
import type { Context } from "../context.ts";

/**
 * The targets of a sync whose rows can be looked at: all of them, or those that are named. Files are left out, and it is said so.
 * Errors: unknown-object; not-supported when nothing else is left.
 */
export async function serversOf(context: Context, sync: SyncRow, wanted: readonly string[]): Promise<string[]> {
  const targets = targetsOf(sync);
  const unknown = wanted.filter((each) => !targets.includes(each));
  if (unknown.length > 0)
    throw new BucardoError("unknown-object", `Sync "${sync.name}" has no target ${unknown.join(", ")}.`, {
      sync: sync.name,
      advice: `Its targets: ${targets.join(", ")}.`,
    });
  const databases = await readDatabases(await context.control());
  const files = databases.filter((database) => filesOf(database) !== null).map(({ name }) => name);
  const chosen = wanted.length > 0 ? wanted : targets;
  const servers = chosen.filter((each) => !files.includes(each));
  const left = chosen.filter((each) => files.includes(each));
  if (servers.length === 0 && left.length > 0)
    throw new BucardoError(
      "not-supported",
      `${left.join(", ")} ${left.length === 1 ? "is" : "are"} files: there are no rows to compare with.`,
      {
        sync: sync.name,
        advice: `Load them, and register the database that has them. \`bucardo update sync ${sync.name} onetimecopy=1\` writes everything again.`,
      },
    );
  for (const db of left) context.io.err(`${db} is files, which are not compared.`);
  return servers;
}
