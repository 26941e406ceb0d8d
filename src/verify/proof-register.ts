import { createHash } from "node:crypto";
import { joinSync, registerSync } from "../capture/register.ts";
import { releaseSync } from "../capture/release.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Batch, RunDefinition } from "../replicate/definition.ts";
import type { ProofJob } from "./proof-job.ts";
import { dropPieces, ensureProofSchema } from "./proof-piece.ts";

/** What the target of a proof is called in checkpoints. */
const TARGET = "proof";

/**
 * The proof of a sync as a sync of its own: a checkpoint holds back the deltas that it still needs. It has no runs, and only tables. Its subscriptions say
 * `recopy` for tables that were not looked at as a whole yet; whatever makes a target need a table again, makes the proof look at it again.
 */
export function proofOf(definition: RunDefinition): RunDefinition {
  return {
    ...definition,
    sync: { id: proofId(definition.sync.id), name: `proof of ${definition.sync.name}` },
    target: TARGET,
    relations: definition.relations.filter(({ kind }) => kind === "table"),
    onetimecopy: 0,
  };
}

function proofId(sync: string): string {
  const hex = createHash("sha256").update(`proof of ${sync}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

/** What is there stays; tables that came later join. */
export async function registerProof({ source, definition, installation }: ProofJob): Promise<void> {
  const { sync } = proofOf(definition);
  const registration = { sync, installation, targets: [TARGET] };
  await registerSync(source, registration);
  await source.execute(
    sql(
      "verify.subscribe",
      `insert into bucardo.subscription (sync, target, captured_table, recopy)
       select distinct $1::uuid, $2, captured_table, true from bucardo.subscription where sync = $3 on conflict do nothing`,
      [sync.id, TARGET, definition.sync.id],
    ),
  );
  await joinSync(source, registration);
}

/** A table that is still to be looked at: as a whole, or `begun`: by the pieces that wait. */
export type Unproven = { readonly captured: number; readonly begun: boolean };

/** By displayed name. */
export async function readUnproven(source: Session, { sync }: RunDefinition): Promise<Map<string, Unproven>> {
  await ensureProofSchema(source);
  const rows = await source.query<QualifiedName & Unproven>(
    sql(
      "verify.unproven",
      `select n.nspname::text as schema, c.relname::text as name, t.id as captured, not s.recopy as begun
         from bucardo.subscription s join bucardo.captured_table t on t.id = s.captured_table
         join pg_class c on c.oid = t.relation join pg_namespace n on n.oid = c.relnamespace
        where s.sync = $1
          and (s.recopy or exists (select from bucardo.proof_piece p where p.sync = s.sync and p.captured_table = t.id and p.state = 'waiting'))`,
      [sync.id],
    ),
  );
  return new Map(rows.map(({ captured, begun, ...name }) => [displayName(name), { captured, begun }]));
}

/** Both sides were equal at the batch's snapshot, as far as its definition goes. */
export async function remember(source: Session, { sync }: RunDefinition, batch: Batch, whole: ReadonlySet<number>): Promise<void> {
  await source.execute(
    sql(
      "verify.remember",
      `with moved as (
         update bucardo.checkpoint c set snapshot = $2, taken_at = clock_timestamp(), run = c.run + 1
           from bucardo.checkpoint b where c.sync = $1 and b.sync = c.sync and b.target = c.target returning b.snapshot as before),
       tables as (
         update bucardo.subscription s
            set shape = n.shape, since = null, recopy = s.recopy and not (n.whole and s.xmin::text = n.version)
           from json_to_recordset($3::json) n (captured int, shape jsonb, whole boolean, version text), moved
          where s.sync = $1 and s.captured_table = n.captured)
       update bucardo.subscription s set since = moved.before
         from moved where s.sync = $1 and s.joined and s.since is null and s.captured_table = any ($4::int[])`,
      [
        sync.id,
        batch.snapshotText,
        JSON.stringify(batch.tables.map(({ captured, now, version }) => ({ captured, shape: now, whole: whole.has(captured), version }))),
        batch.leftOut,
      ],
    ),
  );
}

/** Nothing is held back for it any more. */
export async function forgetProof(source: Session, definition: RunDefinition): Promise<void> {
  const { sync } = proofOf(definition);
  await dropPieces(source, sync.id);
  await releaseSync(source, sync.id);
}
