import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { createFunctions, createGeneration } from "./capture-table.ts";
import type { Captured } from "./function-text.ts";
import { readKeyColumns } from "./key-column.ts";
import { deltaTable } from "./name.ts";
import { captureVersion, lockCapture } from "./schema.ts";
import type { Variant } from "./tree.ts";

export type PurgeOptions = {
  /** A generation that has grown beyond this is followed by another; bytes, default 4 MiB. By size, not time: each rotation replaces functions (hazard 34). */
  readonly rotateBytes?: number;
  /** Only tables of this sync. */
  readonly sync?: string;
};

export type PurgeReport = {
  readonly rotated: number;
  readonly emptied: number;
  /** Retired generations that some checkpoint, or a transaction still open, holds back. */
  readonly held: number;
  readonly bytesFreed: number;
};

type Retired = { readonly generation: number; readonly bytes: number; readonly indexed: boolean };

type Candidate = {
  readonly id: number;
  readonly relation: number;
  readonly key_columns: readonly string[];
  readonly variant: Variant;
  readonly notify: boolean;
  readonly generation: number;
  readonly bytes: number;
  readonly retired: readonly Retired[];
};

const ROTATE_BYTES = 4 * 1024 * 1024;
/** With a backlog of many generations, larger ones keep their number small. */
const MANY_GENERATIONS = 8;
const ROTATE_BYTES_WITH_MANY = 64 * 1024 * 1024;
/** Below this a scan is as fast as an index. */
const INDEX_BYTES = 1024 * 1024;

/**
 * Housekeeping of the delta tables: let another generation take over where one has grown, empty the retired ones that every checkpoint has passed.
 * A generation whose lock is not to be had at once is left for the next time. Never touches a user's table.
 */
export async function purge(source: Session, options: PurgeOptions = {}): Promise<PurgeReport> {
  const report = { rotated: 0, emptied: 0, held: 0, bytesFreed: 0 };
  if ((await captureVersion(source)) === 0) return report;
  for (const table of await readCandidates(source, options)) {
    for (const retired of table.retired.filter(({ bytes }) => bytes > 0)) {
      if (await patiently(() => emptyGeneration(source, table.id, retired.generation))) {
        report.emptied++;
        report.bytesFreed += retired.bytes;
      } else {
        report.held++;
        if (!retired.indexed && retired.bytes >= INDEX_BYTES) await patiently(() => indexGeneration(source, table.id, retired.generation));
      }
    }
    const limit = options.rotateBytes ?? (table.retired.length < MANY_GENERATIONS ? ROTATE_BYTES : ROTATE_BYTES_WITH_MANY);
    if (table.bytes >= limit && (await patiently(() => rotate(source, table)))) report.rotated++;
  }
  await dropTruncations(source);
  return report;
}

async function readCandidates(source: Session, options: PurgeOptions): Promise<Candidate[]> {
  return source.query<Candidate>(
    sql(
      "capture.purge-candidates",
      `select t.id, t.relation, t.key_columns, t.variant, t.notify, t.generation,
              coalesce(pg_relation_size(to_regclass(format('bucardo.delta_%s_%s', t.id, t.generation))), 0)::bigint as bytes,
              (select coalesce(json_agg(json_build_object('generation', g.generation, 'bytes', pg_relation_size(c.oid), 'indexed', c.relhasindex) order by g.retired_at), '[]')
                 from bucardo.generation g join pg_class c on c.oid = to_regclass(format('bucardo.delta_%s_%s', t.id, g.generation))
                where g.captured_table = t.id and g.generation <> t.generation) as retired
         from bucardo.captured_table t
        where $1::uuid is null or exists (select from bucardo.subscription s where s.captured_table = t.id and s.sync = $1)
        order by t.id`,
      [options.sync ?? null],
    ),
  );
}

/** A table that was dropped, lost its key or left its last sync has no use for a new generation, and must not keep us from the others. */
const NEXT_TIME: readonly string[] = ["lock-timeout", "serialization", "schema-mismatch"];

/** Locks that are not to be had at once mean: next time. Everything else is an error. */
async function patiently(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BucardoError && NEXT_TIME.includes(error.code)) return false;
    throw error;
  }
}

/**
 * Another delta table takes over by replacing the trigger functions, which locks nothing of the user's. Writers that are still in an old
 * function go on into the old table; readers read all of them, and nothing is ever dropped under a late writer.
 */
export async function rotate(source: Session, table: Omit<Candidate, "bytes">): Promise<boolean> {
  const done = await transaction(source, {}, async () => {
    await lockCapture(source);
    const [now] = await source.query<{ generation: number }>(
      sql("capture.current-generation", "select generation from bucardo.captured_table where id = $1", [table.id]),
    );
    const { fence } = await source.one<{ fence: string }>(sql("capture.fence", "select fence from bucardo.capture"));
    if (now?.generation !== table.generation || fence !== "open") return false;
    const key = await readKeyColumns(source, table.relation, table.key_columns);
    const spare = table.retired.find(({ bytes }) => bytes === 0);
    const next = spare?.generation ?? Math.max(table.generation, ...table.retired.map(({ generation }) => generation)) + 1;
    const captured: Captured = { id: table.id, generation: next, variant: table.variant, notify: table.notify, key };
    if (spare === undefined) await createGeneration(source, captured);
    else if (spare.indexed) await source.script(sql("capture.drop-index", `drop index bucardo.${indexName(table.id, next)}`));
    await createFunctions(source, captured);
    await source.execute(
      sql(
        "capture.retire-generation",
        "update bucardo.generation set retired_at = case when generation = $2 then null else clock_timestamp() end where captured_table = $1 and generation in ($2, $3)",
        [table.id, next, table.generation],
      ),
    );
    await source.execute(
      sql("capture.set-generation", "update bucardo.captured_table set generation = $2 where id = $1", [table.id, next]),
    );
    return true;
  });
  if (done) await reach("capture.rotated");
  return done;
}

function indexName(id: number, generation: number): string {
  return `delta_${id}_${generation}_xid`;
}

/**
 * One slow target must not make the others read its backlog with every run: they skip what their checkpoint has passed (hazard 22). Analyzed, because
 * without statistics the planner takes a third of the rows for pending and never uses the index.
 */
async function indexGeneration(source: Session, id: number, generation: number): Promise<boolean> {
  await transaction(source, {}, async () => {
    await source.script(sql("capture.purge-lock-timeout", "set local lock_timeout = '50ms'"));
    await source.script(
      sql(
        "capture.index-generation",
        `create index ${indexName(id, generation)} on ${quoteName(deltaTable(id, generation))} using brin (xid) with (pages_per_range = 16);
         analyze ${quoteName(deltaTable(id, generation))} (xid)`,
      ),
    );
  });
  return true;
}

/**
 * Truncates a retired generation when nobody needs it. The test is made under the lock: whoever wrote into it has ended by then, and no
 * checkpoint can come with an older snapshot, because registration pins before it takes one (hazard 15). Tested against each checkpoint, not
 * the oldest: snapshots have no order. A run that looks at the same time needs only rows not visible in its checkpoint, and there are none.
 */
async function emptyGeneration(source: Session, id: number, generation: number): Promise<boolean> {
  const emptied = await transaction(source, {}, async () => {
    await source.script(sql("capture.purge-lock-timeout", "set local lock_timeout = '50ms'"));
    const delta = quoteName(deltaTable(id, generation));
    await source.script(sql("capture.lock-generation", `lock table ${delta} in access exclusive mode`));
    const { needed } = await source.one<{ needed: boolean }>(
      sql(
        "capture.is-needed",
        `select exists (select from bucardo.captured_table where id = $1 and generation = $2)
             or exists (
           select from bucardo.subscription s join bucardo.checkpoint c using (sync, target)
            where s.captured_table = $1
              and (not s.joined or c.snapshot is null
                   or exists (select from ${delta} d where not txid_visible_in_snapshot(d.xid, coalesce(s.since, c.snapshot)::txid_snapshot)))) as needed`,
        [id, generation],
      ),
    );
    if (!needed) await source.script(sql("capture.empty-generation", `truncate ${delta}`));
    return !needed;
  });
  if (emptied) await reach("capture.purged");
  return emptied;
}

async function dropTruncations(source: Session): Promise<void> {
  await source.execute(
    sql(
      "capture.purge-truncations",
      `delete from bucardo.truncation x
        where not exists (
          select from bucardo.subscription s join bucardo.checkpoint c using (sync, target)
           where s.captured_table = x.captured_table
             and (not s.joined or c.snapshot is null or not txid_visible_in_snapshot(x.xid, coalesce(s.since, c.snapshot)::txid_snapshot)))`,
    ),
  );
}
