import { insertConflicts } from "../control/conflict.ts";
import type { Session } from "../postgres/session.ts";
import { moveNoted } from "../replicate/conflict-log.ts";
import type { DaemonContext } from "./context.ts";

/**
 * Moves noted conflicts from the databases where they were decided to the control database. Whatever fails is tried again after the next run: they stay
 * where they are until then. Returns whether all are moved.
 */
export async function keepConflicts(
  context: Pick<DaemonContext, "lease" | "log">,
  members: readonly Session[],
  sync: { readonly id: string; readonly name: string },
): Promise<boolean> {
  try {
    for (const member of members)
      await moveNoted(member, sync.id, (noted) => context.lease.use((control) => insertConflicts(control, sync.name, noted)));
    return true;
  } catch (error) {
    context.log.warn({ err: error, sync: sync.name }, "Conflicts are not in the log of the control database yet.");
    return false;
  }
}
