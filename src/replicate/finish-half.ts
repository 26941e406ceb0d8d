import type { Session } from "../postgres/session.ts";
import { prepared, sql } from "../postgres/sql.ts";
import type { Identity, RunDefinition } from "./definition.ts";
import { identityProblem, readIdentity } from "./identity.ts";

type Half = {
  snapshot: string;
  target_xid: number;
  source_identity: Identity | null;
  target_identity: Identity | null;
  checkpoint: string;
};

/**
 * A run whose rows are on the target and whose checkpoint did not move, because somebody died in between, is settled as it was: to send its rows again
 * would meet what was written there since, and look like a conflict (hazard 30). The intent was flushed before the target committed, so on the same
 * history of the source its snapshot holds. Without the target's answer, or on another history, nothing is done: the rows are sent again.
 */
export async function finishHalf(
  source: Session,
  target: Session,
  { sync, target: name }: Pick<RunDefinition, "sync" | "target">,
): Promise<boolean> {
  const [half] = await source.query<Half>(
    prepared(
      "replicate.half",
      `select i.snapshot, i.target_xid, c.source_identity, c.target_identity, c.snapshot as checkpoint from bucardo.intent i join bucardo.checkpoint c using (sync, target)
        where i.sync = $1 and i.target = $2 and i.run = c.run + 1`,
      [sync.id, name],
    ),
  );
  if (half === undefined) return false;
  if (!(await isSame(source, half.source_identity)) || !(await isSame(target, half.target_identity))) return false;
  const { next } = await target.one<{ next: number }>(
    sql("identity.next-xid", "select txid_snapshot_xmax(txid_current_snapshot()) as next"),
  );
  if (half.target_xid >= next) return false;
  const { status } = await target.one<{ status: string | null }>(
    sql("identity.last-run", "select txid_status($1) as status", [half.target_xid]),
  );
  if (status !== "committed") return false;
  const settled = await source.execute(
    sql(
      "replicate.finish-half",
      `update bucardo.checkpoint set snapshot = $4, taken_at = clock_timestamp(), run = run + 1, target_xid = $5
        where sync = $1 and target = $2 and snapshot = $3`,
      [sync.id, name, half.checkpoint, half.snapshot, half.target_xid],
    ),
  );
  return settled > 0;
}

/** How far its log has come is known as of the connection only. */
async function isSame(session: Session, before: Identity | null): Promise<boolean> {
  return before !== null && identityProblem({ ...before, lsn: "0" }, await readIdentity(session)) === null;
}
