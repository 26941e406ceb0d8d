import { readFence } from "../capture/fence.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { readIdentity } from "../replicate/identity.ts";
import type { Endpoint } from "./endpoint.ts";
import { isSame } from "./open.ts";
import type { Migration } from "./state.ts";

/**
 * The decision of a turn falls with the fence of the side that is left; the state of the move notes it a moment later. Between the two, and for good when the
 * command dies there, the state still names the side that was left: whoever believes it takes the side that applications write to for the one nobody uses.
 * `open`: a session on the side that the state calls open.
 */
export async function isDecided(open: Session): Promise<boolean> {
  return (await readFence(open))?.state === "closed";
}

/** Errors: cutover-unfinished. */
export async function refuseDecided(open: Session, { openSide, targetPlace }: Migration): Promise<void> {
  if (!(await isDecided(open))) return;
  const [turn, advice] =
    openSide === "old"
      ? [
          "cutover",
          `Repeat \`bucardo migrate cutover\`. Only if nobody has written to ${targetPlace} and it is lost, \`bucardo migrate abort --keep-new\` opens the old side.`,
        ]
      : ["switchback", "Repeat `bucardo migrate switchback`."];
  throw new BucardoError("cutover-unfinished", `a ${turn} was decided and broke off: applications may write to the other side already`, {
    db: open.name,
    advice,
  });
}

/** Before anything is done there: a wrong address must not cost another database what it holds. Errors: target-changed. */
export async function requireSameNew(place: Endpoint["place"], session: Session, migration: Migration, advice: string): Promise<void> {
  if (isSame(migration.targetIdentity, await readIdentity(session))) return;
  throw new BucardoError("target-changed", `${place} is not the database that the move was begun with`, { db: "new", advice });
}
