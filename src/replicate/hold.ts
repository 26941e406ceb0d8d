import { deltaTable } from "../capture/name.ts";
import { detachPending } from "../capture/shape.ts";
import { BucardoError } from "../model/error.ts";
import { quoteName } from "../postgres/quote.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Answer } from "../postgres/batch.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, sql, type Statement } from "../postgres/sql.ts";
import type { Batch } from "./definition.ts";
import type { TablePlan } from "./plan.ts";

/** undefined_table and invalid_schema_name: dropped or renamed since the snapshot. */
const GONE = new Set(["42P01", "3F000"]);

/**
 * Shorter than any usual deadlock_timeout: a migration of the application that alters the same tables in another order waits for us a moment, and is
 * never the one that the server ends. We hold some of the tables while we wait for others.
 */
export const HOLD_TIMEOUT = "500ms";

/**
 * Locks the tables that are going to be read, parts included, before the first is read: from here on they keep their names, columns, files and parts.
 * What changed between the snapshot and the lock voids the run. Errors: lock-timeout.
 */
export async function holdTables(source: Session, batch: Batch, plans: readonly TablePlan[]): Promise<void> {
  try {
    const answers = await source.batch(holding(source, batch, plans));
    refuseChanged(source, answers.at(-1));
  } catch (error) {
    if (!GONE.has(sqlstateOf(error) ?? "")) throw error;
    throw voidRun(source, plans[0]!.table.name.name);
  }
}

/** As a part of a batch; the last answer is for refuseChanged. */
export function holding(source: Session, batch: Batch, plans: readonly TablePlan[]): Statement[] {
  const names = plans.map(({ table }) => `${table.partitioned ? "" : "only "}${quoteName(table.name)}`);
  return [
    sql("replicate.hold-timeout", `set local lock_timeout = '${HOLD_TIMEOUT}'`),
    sql("replicate.hold-tables", `lock table ${names.join(", ")} in access share mode`),
    sql("replicate.hold-timeout", "set local lock_timeout = 0"),
    unchanged(source, batch, plans),
  ];
}

/** Why `holding` may fail without anything being wrong: a table went away, or somebody else holds it. */
export function isGoneOrHeld(error: unknown): boolean {
  const sqlstate = sqlstateOf(error) ?? "";
  return GONE.has(sqlstate) || sqlstate === "55P03";
}

/**
 * The last look at the source within the snapshot; nothing was written in it but locks, so the commit only ends it. `then` goes along behind it,
 * whatever the look finds: an answer that is wanted only where it finds nothing.
 */
export async function endReading(source: Session, batch: Batch, plans: readonly TablePlan[], then: Statement): Promise<Answer> {
  const [changed, , answer] = await source.batch([unchanged(source, batch, plans), END_READING, then]);
  refuseChanged(source, changed);
  return answer!;
}

const END_READING = sql("replicate.end-reading", "commit");

/** Of a run that has nothing to read. */
export async function endLook(source: Session): Promise<void> {
  await source.execute(END_READING);
}

/**
 * DDL is not MVCC-safe: after TRUNCATE and rewriting ALTER TABLE an older snapshot sees the table empty, parts that left are not read, and a name may
 * stand for another table; a run would delete rows on the target for good (hazards 2, 19). So with the locks of the reading held each file and name
 * must be what the snapshot knows, and the parts that are locked, as LOCK and COPY find them in the catalog of this moment, those that it knows. Once
 * before reading: who left by then stays away; once after it: who came is still there. The rows of pg_class are the snapshot's, the functions are not.
 */
function unchanged(source: Session, batch: Batch, plans: readonly TablePlan[]): Statement {
  const leaves = plans.flatMap(({ table }) => table.now.leaves);
  const names = [
    ...plans.map(({ table }) => ({ oid: table.oid, name: quoteName(table.name) })),
    ...plans.flatMap(({ joined }) => joined.map(({ oid, name }) => ({ oid, name }))),
  ];
  const deltas = plans.flatMap(({ table }) => table.generations.map((generation) => quoteName(deltaTable(table.captured, generation))));
  return prepared(
    "replicate.check-unchanged",
    `with recursive known (oid) as (
         select * from unnest($5::oid[])
         union
         select i.inhparent from known k join pg_inherits i on i.inhrelid = k.oid
       ),
       held (relation) as (
         select l.relation from pg_locks l
          where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
       )
       select format('%s.%s', n.nspname, c.relname) as name
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where (c.oid = any ($1::oid[]) or c.oid = any (array(select to_regclass(d) from unnest($2::text[]) d)::oid[]))
          and pg_relation_filenode(c.oid) is distinct from c.relfilenode
       union all
       select w.name from json_to_recordset($3::json) w (oid oid, name text) where w.oid is distinct from to_regclass(w.name)::oid
       union all
       select l.name from json_to_recordset($4::json) l (oid oid, name text) where l.oid not in (select relation from held)
       union all
       select h.relation::regclass::text
         from held h
        where h.relation not in (select oid from known)
          and not exists (select from pg_inherits i where i.inhrelid = h.relation and ${detachPending(source, "i")})
          and case when pg_relation_is_publishable(h.relation) then pg_get_partition_constraintdef(h.relation) is not null end`,
    [
      leaves.map(({ oid }) => oid),
      deltas,
      JSON.stringify(names),
      JSON.stringify(leaves.map(({ oid, name }) => ({ oid, name }))),
      batch.tables.flatMap(({ now }) => now.triggers.map(({ oid }) => oid)),
    ],
  );
}

export function refuseChanged(source: Session, answer: Answer | undefined): void {
  const [first] = (answer?.rows ?? []) as { name: string }[];
  if (first !== undefined) throw voidRun(source, first.name);
}

function voidRun(source: Session, table: string): BucardoError {
  return new BucardoError("run-void", `${table} was truncated, rewritten, renamed, attached or detached while the run looked at it`, {
    db: source.name,
    table,
  });
}
