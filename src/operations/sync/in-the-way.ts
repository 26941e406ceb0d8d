import type { SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import type { Context } from "../context.ts";

/** Syncs that keep something from being removed: in-use without --force, else they go too. */
export function syncsInTheWay(context: Context, refusal: string, users: readonly SyncRow[]): readonly SyncRow[] {
  if (users.length === 0 || context.flags.force) return users;
  const names = users.map(({ name }) => name).join(", ");
  throw new BucardoError("in-use", `${refusal} (${names}).`, {
    advice: `\`${context.program} remove sync ${names.replaceAll(",", "")}\` first, or --force to remove them too. Nothing was changed.`,
  });
}
