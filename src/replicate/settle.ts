import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import type { Answer } from "../postgres/batch.ts";
import { prepared, type Statement } from "../postgres/sql.ts";
import type { Batch, BatchTable, Identity, RunDefinition } from "./definition.ts";
import { sameShape } from "../capture/shape.ts";

/**
 * Written and flushed before the target commits. The flush makes everything that the snapshot saw durable on the source: without it a
 * crash after asynchronous commits could take back what the target already shows, and hand its transaction ids out again (hazard 1). It takes its time
 * while the target applies.
 * Void when the checkpoint is not where the run found it: a run that slept while its target was removed, copied by hand and added again must not
 * bring its old rows there.
 * `plain`: all that settling would do is to move the checkpoint, so that somebody else can do it when we die in between (finishHalf). Otherwise the number
 * of the run is negative, and its rows are sent again.
 */
export function intending(definition: RunDefinition, batch: Batch, targetXid: number, plain: boolean): Statement {
  return prepared(
    "replicate.intent",
    `insert into bucardo.intent (sync, target, run, snapshot, target_xid)
       select c.sync, c.target, case when $7 then c.run + 1 else -c.run - 1 end, $3, $4 from bucardo.checkpoint c where c.sync = $1 and c.target = $2 and c.snapshot = $5 and c.run = $6
       on conflict (sync, target) do update set run = excluded.run, snapshot = excluded.snapshot, target_xid = excluded.target_xid, written_at = clock_timestamp()`,
    [definition.sync.id, definition.target, batch.snapshotText, targetXid, batch.checkpoint.text, batch.checkpoint.run, plain],
  );
}

/** The answer to `intending`. Returns when it came, for confirmIntent. */
export function intended(source: Session, definition: RunDefinition, answer: Answer | undefined): number {
  if (answer?.count !== 1) throw movedMeanwhile(source, definition);
  return performance.now();
}

/** An answer of so long ago tells as much as one that is still on its way. */
const FRESH_MS = 20;

/**
 * Asked last of all before the target commits: rows that waited long for a lock there may be those of a run that was overtaken since its intent.
 * Not where the intent was only just answered.
 */
export async function confirmIntent(source: Session, definition: RunDefinition, batch: Batch, intendedAt: number): Promise<void> {
  if (performance.now() - intendedAt < FRESH_MS) return;
  const standing = await source.execute(
    prepared("replicate.confirm-intent", "select from bucardo.checkpoint where sync = $1 and target = $2 and snapshot = $3 and run = $4", [
      definition.sync.id,
      definition.target,
      batch.checkpoint.text,
      batch.checkpoint.run,
    ]),
  );
  if (standing === 0) throw movedMeanwhile(source, definition);
}

/** Nothing joined, left or changed its shape, and no row is or was set aside: then `settle` changes nothing but the checkpoint. */
export function isPlain({ tables, leftOut }: Batch): boolean {
  return leftOut.length === 0 && tables.every((table) => table.setAside === 0 && !changedBy(table));
}

function changedBy(table: BatchTable): boolean {
  return table.recopy || table.joining || !sameShape(table.before, table.now);
}

export type Settlement = {
  readonly sourceIdentity: Identity;
  /** Null: nothing new is known of it. Xid null: it was not written to. */
  readonly target: { readonly identity: Identity; readonly xid: number | null } | null;
};

/**
 * The checkpoint moves to the run's snapshot: on the connection that took it, never on another one, and only if it is still where the run found it
 * (hazards 1, 3). It moves for the tables of the run only: one that is subscribed and was not in the run, because its definition was older or newer, goes
 * on from where it was. Run numbers count settled runs and tell the control database when a source went back in time.
 */
export async function settle(
  source: Session,
  definition: RunDefinition,
  batch: Batch,
  { sourceIdentity, target }: Settlement,
): Promise<void> {
  const changed = batch.tables.filter(changedBy);
  const { settled } = await source.one<{ settled: number }>(
    prepared(
      "replicate.settle",
      `with moved as (
         update bucardo.checkpoint
            set snapshot = $4, taken_at = clock_timestamp(), run = run + 1,
                source_identity = jsonb_set($5::jsonb, '{lsn}', to_jsonb((pg_current_wal_lsn() - '0/0'::pg_lsn)::text)),
                target_identity = coalesce($6::jsonb, target_identity), target_xid = coalesce($7::bigint, target_xid)
          where sync = $1 and target = $2 and snapshot = $3 and run = $8
         returning sync),
       tables as (
         update bucardo.subscription s
            set shape = n.shape, since = null, recopy = s.recopy and not (n.recopied and s.xmin::text = n.version)
           from json_to_recordset($9::json) n (captured int, shape jsonb, recopied boolean, version text), moved
          where s.sync = $1 and s.target = $2 and s.captured_table = n.captured),
       left_out as (
         update bucardo.subscription s set since = $3
           from moved where s.sync = $1 and s.target = $2 and s.joined and s.since is null and s.captured_table = any ($10::int[]))
       select count(*)::int as settled from moved`,
      [
        definition.sync.id,
        definition.target,
        batch.checkpoint.text,
        batch.snapshotText,
        JSON.stringify(sourceIdentity),
        target === null ? null : JSON.stringify(target.identity),
        target?.xid ?? null,
        batch.checkpoint.run,
        JSON.stringify(
          changed.map((table) => ({ captured: table.captured, shape: table.now, recopied: table.recopy, version: table.version })),
        ),
        batch.leftOut,
      ],
    ),
  );
  if (settled === 0) {
    throw movedMeanwhile(source, definition);
  }
}

function movedMeanwhile(source: Session, { sync, target }: RunDefinition): BucardoError {
  return new BucardoError("run-void", `the checkpoint of sync ${sync.name} for ${target} moved during the run`, {
    db: source.name,
    sync: sync.name,
  });
}
