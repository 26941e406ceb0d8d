import { BucardoError } from "../model/error.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Identity } from "../replicate/definition.ts";
import { identityProblem, readIdentity } from "../replicate/identity.ts";
import type { CopyOptions } from "./options.ts";
import { recordDone, recordLost } from "./piece.ts";

type Wanted = Pick<CopyOptions, "sync" | "target">;

/**
 * A copy goes on only between the two databases it began between, and only while neither went back in time: else pieces that count as done may be
 * missing, and pieces that arrived be sent again (hazards 1, 6, 7).
 */
export async function checkSides(source: Session, target: Session, { sync, target: name }: Wanted): Promise<void> {
  const [before] = await source.query<{ source: Identity; target: Identity | null }>(
    sql(
      "copy.sides",
      `select t.source_identity as source, x.target_identity as target
         from bucardo.copy_table t
         left join lateral (select p.target_identity, p.done_at from bucardo.copy_piece p where p.copy_table = t.id and p.target_identity is not null
                             order by (p.target_identity ->> 'lsn')::numeric desc limit 1) x on true
        where t.sync = $1 and t.target = $2
        order by (x.target_identity ->> 'lsn')::numeric desc nulls last limit 1`,
      [sync.id, name],
    ),
  );
  if (before === undefined) return;
  const side = (code: "source-changed" | "target-changed", db: string, problem: string | null): void => {
    if (problem === null) return;
    throw new BucardoError(code, `${db} is not what it was when its copy for sync ${sync.name} began: ${problem}`, {
      db,
      sync: sync.name,
      advice: "Reset the copy: what arrived so far cannot be counted on.",
    });
  };
  side("source-changed", source.name, identityProblem(before.source, await readIdentity(source)));
  side("target-changed", target.name, identityProblem(before.target, await readIdentity(target)));
}

/**
 * Pieces whose worker said "sent" and then no more: their transactions tell. Committed: done. Aborted: again. In progress: still to be seen, it may be
 * that of a worker alive. Too old to be known: again, and what it may have brought goes first. Returns how many are still in progress.
 */
export async function settleSent(source: Session, target: Session, { sync, target: name }: Wanted): Promise<number> {
  const sent = await source.query<{ table: number; number: number; xid: number }>(
    sql(
      "copy.sent",
      `select p.copy_table as table, p.number, p.target_xid as xid from bucardo.copy_piece p join bucardo.copy_table t on t.id = p.copy_table
        where t.sync = $1 and t.target = $2 and p.state = 'sent'`,
      [sync.id, name],
    ),
  );
  let open = 0;
  for (const piece of sent) {
    const status = await statusOf(target, piece.xid);
    if (status === "committed") await recordDone(source, piece, piece.xid);
    else if (status === "in progress") open++;
    else await recordLost(source, piece, piece.xid, status === null);
  }
  return open;
}

/** Errors: target-changed, when it has not come as far as that transaction. */
async function statusOf(target: Session, xid: number): Promise<string | null> {
  try {
    const { status } = await target.one<{ status: string | null }>(sql("copy.xid-status", "select txid_status($1) as status", [xid]));
    return status;
  } catch (error) {
    // The server itself says that the number is in the future. No snapshot could: it ends behind the newest transaction that ENDED, and several workers
    // may have begun newer ones.
    if (sqlstateOf(error) !== "22023") throw error;
    throw new BucardoError("target-changed", `${target.name} has not reached a transaction that a copy made there: it went back in time`, {
      db: target.name,
      cause: error,
      advice: "Reset the copy: what arrived so far cannot be counted on.",
    });
  }
}
