import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { createFunctions, createGeneration } from "./capture-table.ts";
import type { Captured } from "./function-text.ts";
import { readKeyColumns } from "./key-column.ts";
import { emptyDelta, readSpent, type Filled } from "./empty.ts";
import { deltaTable } from "./name.ts";
import { captureVersion, lockCapture } from "./schema.ts";
import type { Variant } from "./tree.ts";

export type PurgeOptions = {
  /** A generation that has grown beyond this is followed by another; bytes, default 4 MiB. By size, not time: each rotation replaces functions (hazard 34). */
  readonly rotateBytes?: number;
  /** Only tables of this sync. */
  readonly sync?: string;
  /** A snapshot of a while ago: a delta table that is written to is emptied only when nothing came since. Default: whenever nobody uses it. */
  readonly quiet?: string | null;
};

export type PurgeReport = {
  readonly rotated: number;
  readonly emptied: number;
  /** Delta tables that some checkpoint, or a transaction still open, holds back; with `quiet` only the retired ones. */
  readonly held: number;
  readonly bytesFreed: number;
  /** When it began. */
  readonly snapshot: string | null;
};

/** `grown`: nobody has analyzed it since it was a quarter of its size. */
type Retired = { readonly generation: number; readonly bytes: number; readonly indexed: boolean; readonly grown: boolean };

type Candidate = {
  readonly id: number;
  readonly relation: number;
  readonly key_columns: readonly string[];
  readonly variant: Variant;
  readonly notify: boolean;
  readonly generation: number;
  readonly bytes: number;
  readonly grown: boolean;
  readonly retired: readonly Retired[];
};

const ROTATE_BYTES = 4 * 1024 * 1024;
/** With a backlog of many generations, larger ones keep their number small. */
const MANY_GENERATIONS = 8;
const ROTATE_BYTES_WITH_MANY = 64 * 1024 * 1024;
/** Below this a scan is as fast as an index. */
const INDEX_BYTES = 1024 * 1024;

/**
 * Housekeeping of the delta tables: let another generation take over where one has grown, empty those that every checkpoint has passed, so that a table at rest
 * has empty files. What is not to be had at once is left for the next time. Never touches a user's table.
 */
export async function purge(source: Session, options: PurgeOptions = {}): Promise<PurgeReport> {
  if ((await captureVersion(source)) === 0) return { rotated: 0, emptied: 0, held: 0, bytesFreed: 0, snapshot: null };
  const { snapshot } = await source.one<{ snapshot: string }>(
    sql("capture.purge-snapshot", "select txid_current_snapshot()::text as snapshot"),
  );
  const candidates = await readCandidates(source, options);
  const { emptied, held } = await emptyAll(source, candidates, options);
  let rotated = 0;
  for (const table of candidates.filter((each) => each.bytes >= limitOf(each, options))) {
    const retired = table.retired.map((each) => (emptied.has(`${table.id} ${each.generation}`) ? { ...each, bytes: 0 } : each));
    if (!(await patiently(() => rotate(source, { ...table, retired })))) continue;
    rotated++;
    if (table.grown) await patiently(() => analyzeGeneration(source, table.id, table.generation));
  }
  await dropTruncations(source);
  return { rotated, emptied: emptied.size, held, bytesFreed: [...emptied.values()].reduce((sum, bytes) => sum + bytes, 0), snapshot };
}

function limitOf(table: Candidate, { rotateBytes }: PurgeOptions): number {
  return rotateBytes ?? (table.retired.length < MANY_GENERATIONS ? ROTATE_BYTES : ROTATE_BYTES_WITH_MANY);
}

/** `emptied`: bytes by captured table and generation. Retired ones that must stay get their index. */
async function emptyAll(
  source: Session,
  candidates: readonly Candidate[],
  options: PurgeOptions,
): Promise<{ emptied: Map<string, number>; held: number }> {
  const emptied = new Map<string, number>();
  const patience = { quiet: options.quiet ?? null };
  const filled = candidates.flatMap((table) => filledOf(table, options));
  const spent = new Set(await readSpent(source, filled, patience));
  let held = 0;
  for (const each of filled) {
    if (spent.has(each) && (await patiently(() => emptyDelta(source, each, patience))))
      emptied.set(`${each.captured} ${each.generation}`, each.bytes);
    else {
      if (!each.current || patience.quiet === null) held++;
      if (!each.current && !each.indexed && each.bytes >= INDEX_BYTES)
        await patiently(() => indexGeneration(source, each.captured, each.generation));
      else if (each.grown && each.bytes >= INDEX_BYTES) await patiently(() => analyzeGeneration(source, each.captured, each.generation));
    }
  }
  return { emptied, held };
}

/** One that has grown is not emptied in place: writers would wait for the test. It is rotated, and emptied later. */
function filledOf(table: Candidate, options: PurgeOptions): (Filled & { readonly indexed: boolean; readonly grown: boolean })[] {
  const retired = table.retired.map((each) => ({ ...each, captured: table.id, current: false }));
  const current = {
    captured: table.id,
    generation: table.generation,
    bytes: table.bytes,
    current: true,
    indexed: false,
    grown: table.grown,
  };
  return [...retired, ...(table.bytes < limitOf(table, options) ? [current] : [])].filter(({ bytes }) => bytes > 0);
}

async function readCandidates(source: Session, options: PurgeOptions): Promise<Candidate[]> {
  return source.query<Candidate>(
    sql(
      "capture.purge-candidates",
      `select * from (
         select t.id, t.relation, t.key_columns, t.variant, t.notify, t.generation,
                coalesce(max(g.bytes) filter (where g.generation = t.generation), 0) as bytes,
                coalesce(bool_or(g.grown) filter (where g.generation = t.generation), false) as grown,
                coalesce(json_agg(json_build_object('generation', g.generation, 'bytes', g.bytes, 'grown', g.grown,
                                                    'indexed', (select c.relhasindex from pg_class c where c.oid = g.delta)) order by g.retired_at)
                           filter (where g.generation <> t.generation), '[]') as retired,
                sum(g.bytes) as total
           from bucardo.captured_table t
           join (select n.captured_table, n.generation, n.delta, n.retired_at, s.bytes,
                        s.bytes > 4 * c.relpages::int8 * current_setting('block_size')::int as grown
                   from bucardo.generation n left join pg_class c on c.oid = n.delta
                  cross join lateral (select coalesce(pg_relation_size(n.delta), 0) as bytes offset 0) s) g
             on g.captured_table = t.id
          where $1::uuid is null or exists (select from bucardo.subscription s where s.captured_table = t.id and s.sync = $1)
          group by t.id) t
        where total > 0 order by id`,
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
    const [now] = await source.query<{ generation: number; stamped: boolean }>(
      sql("capture.current-generation", "select generation, stamped from bucardo.captured_table where id = $1", [table.id]),
    );
    const { fence } = await source.one<{ fence: string }>(sql("capture.fence", "select fence from bucardo.capture"));
    if (now?.generation !== table.generation || fence !== "open") return false;
    const key = await readKeyColumns(source, table.relation, table.key_columns);
    const spare = table.retired.find(({ bytes }) => bytes === 0);
    const next = spare?.generation ?? Math.max(table.generation, ...table.retired.map(({ generation }) => generation)) + 1;
    const captured: Captured = { id: table.id, generation: next, variant: table.variant, notify: table.notify, stamped: now.stamped, key };
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

/** Autovacuum comes late to what grows by gigabytes at once; until then the planner takes it for as small as it was. Keeps nobody from writing. */
async function analyzeGeneration(source: Session, id: number, generation: number): Promise<boolean> {
  await transaction(source, {}, async () => {
    await source.script(
      sql("capture.analyze-generation", `set local lock_timeout = '50ms'; analyze ${quoteName(deltaTable(id, generation))}`),
    );
  });
  return true;
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
