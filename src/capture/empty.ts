import { reach } from "../base/point.ts";
import { quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { deltaTable } from "./name.ts";

/** A delta table that is no empty file. */
export type Filled = { readonly captured: number; readonly generation: number; readonly current: boolean; readonly bytes: number };

/** One that no checkpoint needs may be emptied; one that is written to only when nothing came since the snapshot `quiet` (null: whenever it is free). */
export type Patience = { readonly quiet: string | null };

/** How long we wait for a retired one that somebody reads. Whoever comes meanwhile waits behind us. */
const LOCK_TIMEOUT = "50ms";
/** Writers wait for the few statements that follow the lock. Should this process, or its machine, stand still between them, the server ends them. */
const STANDSTILL = "5s";
const ASKED_AT_ONCE = 50;

/** Those that may go by what can be seen without a lock; the others need not be locked at all. */
export async function readSpent(source: Session, filled: readonly Filled[], patience: Patience): Promise<Filled[]> {
  const spent: Filled[] = [];
  for (let at = 0; at < filled.length; at += ASKED_AT_ONCE) {
    const some = filled.slice(at, at + ASKED_AT_ONCE);
    const text = some.map((each, index) => `select ${index} as index where not (${neededText(each, patience)})`).join("\nunion all ");
    const rows = await source.query<{ index: number }>(sql("capture.read-spent", text));
    spent.push(...rows.map(({ index }) => some[index]!));
  }
  return spent;
}

/**
 * Truncates a delta table when nobody needs it. The test is made under a lock that keeps writers out and lets runs read: whoever wrote into it has ended
 * by then, and no checkpoint can come with an older snapshot, because registration pins before it takes one (hazard 15). Tested against each
 * checkpoint, not the oldest: snapshots have no order. A run that looks at the same time needs only rows not visible in its checkpoint, and there are none.
 * Nobody waits for a writer: one that has the table now keeps it for this time. Errors: lock-timeout (nothing changed).
 */
export async function emptyDelta(source: Session, filled: Filled, patience: Patience): Promise<boolean> {
  const delta = quoteName(deltaTable(filled.captured, filled.generation));
  const emptied = await transaction(source, {}, async () => {
    await source.script(
      sql(
        "capture.lock-generation",
        `set local lock_timeout = '${LOCK_TIMEOUT}'; set local idle_in_transaction_session_timeout = '${STANDSTILL}'; lock table ${delta} in share row exclusive mode${filled.current ? " nowait" : ""}`,
      ),
    );
    const { needed } = await source.one<{ needed: boolean }>(sql("capture.is-needed", `select ${neededText(filled, patience)} as needed`));
    if (!needed) await source.script(sql("capture.empty-generation", `truncate ${delta}`));
    return !needed;
  });
  if (emptied) await reach("capture.purged");
  return emptied;
}

function neededText({ captured, generation, current }: Filled, { quiet }: Patience): string {
  const delta = quoteName(deltaTable(captured, generation));
  const waits = `exists (
           select from (select s.joined, coalesce(s.since, c.snapshot)::txid_snapshot as cutoff
                          from bucardo.subscription s join bucardo.checkpoint c using (sync, target)
                         where s.captured_table = ${captured} offset 0) s
            where not s.joined or s.cutoff is null
               or exists (select from ${delta} d where not txid_visible_in_snapshot(d.xid, s.cutoff)))`;
  const hot = `exists (select from ${delta} d where not txid_visible_in_snapshot(d.xid, ${quoteLiteral(quiet)}::txid_snapshot))`;
  return current && quiet !== null ? `${waits} or ${hot}` : waits;
}
