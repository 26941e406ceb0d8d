import { disarmFence, openFence, readFence } from "../capture/fence.ts";
import { carriedSyncs } from "../capture/of-installation.ts";
import { releaseSync } from "../capture/release.ts";
import type { Session } from "../postgres/session.ts";

/** Takes the fence, the capture and the proofs of a move off one side; what other syncs capture there stays. May be repeated. */
export async function releaseMove(side: Session, installation: string): Promise<void> {
  const mine = (await carriedSyncs(side)).filter((carried) => carried.installation === installation);
  const fence = await readFence(side);
  if (fence !== null && fence.state !== "open") {
    await openFence(side);
    await disarmFence(side);
  }
  // Also where capture never began: schema bucardo may be there.
  for (const sync of new Set([...mine.map((carried) => carried.sync), installation])) await releaseSync(side, sync);
}
