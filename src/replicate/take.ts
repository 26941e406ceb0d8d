import { reach } from "../base/point.ts";
import { chunks } from "../base/chunks.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { parseSnapshot, type Snapshot } from "../model/snapshot.ts";
import { deltaTable } from "../capture/name.ts";
import { waits } from "../capture/waits.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Batch, BatchTable, Checkpoint, Identity, RunDefinition } from "./definition.ts";
import { readShapes, type Shape } from "../capture/shape.ts";

type Taken = {
  snapshot: string;
  checkpoint: string | null;
  run: number;
  source_identity: Identity | null;
  target_identity: Identity | null;
  target_xid: number | null;
  tables: TakenTable[];
  set_aside: SetAsideCount[];
};

/** Rows of a table that are set aside for the target, and how many of them are to be tried again. */
type SetAsideCount = { captured: number; rows: number; replays: number };

type TakenTable = {
  captured: number;
  oid: number;
  schema: string | null;
  name: string | null;
  was_schema: string;
  was_name: string;
  partitioned: boolean;
  key: string[];
  since: string | null;
  recopy: boolean;
  version: string;
  lost_key: string[];
  shape: Shape | null;
  generations: number[];
  truncations: { xid: number; leaf: number }[];
};

/**
 * The first statement of the run's REPEATABLE READ transaction: it takes the snapshot, and everything read with it belongs to it, the
 * checkpoint too. The caller holds the sync's lock on the target, so that no other run stands between its commit there and its settling (hazard 3).
 */
export async function take(source: Session, definition: RunDefinition): Promise<Batch> {
  const [taken] = await source.query<Taken>(
    sql(
      "replicate.take",
      `select txid_current_snapshot()::text as snapshot, c.snapshot as checkpoint, c.run, c.source_identity, c.target_identity, c.target_xid,
              coalesce((
                select json_agg(json_build_object(
                         'captured', t.id, 'oid', t.relation::bigint, 'schema', n.nspname, 'name', r.relname, 'was_schema', t.schema_name, 'was_name', t.table_name,
                         'partitioned', r.relkind = 'p', 'key', t.key_columns, 'since', s.since, 'recopy', s.recopy, 'version', s.xmin::text, 'shape', s.shape,
                         'lost_key', array(select k from unnest(t.key_columns) k
                                            where not exists (select from pg_attribute a where a.attrelid = t.relation and a.attname = k and not a.attisdropped)),
                         'generations', array(select g.generation from bucardo.generation g where g.captured_table = t.id order by g.generation),
                         'truncations', (select coalesce(json_agg(json_build_object('xid', x.xid, 'leaf', x.leaf::bigint)), '[]')
                                           from bucardo.truncation x where x.captured_table = t.id)) order by t.id)
                  from bucardo.subscription s
                  join bucardo.captured_table t on t.id = s.captured_table
                  left join pg_class r on r.oid = t.relation
                  left join pg_namespace n on n.oid = r.relnamespace
                 where s.sync = c.sync and s.target = c.target and s.joined), '[]') as tables,
              (select coalesce(json_agg(row_to_json(a)), '[]')
                 from (select a.captured_table as captured, count(*) as rows, count(*) filter (where a.replay) as replays from bucardo.set_aside a
                        where a.sync = c.sync and a.target = c.target and a.kind = 'refused' group by a.captured_table) a) as set_aside
         from bucardo.checkpoint c where c.sync = $1 and c.target = $2`,
      [definition.sync.id, definition.target],
    ),
  );
  if (taken === undefined || taken.checkpoint === null) {
    throw new BucardoError(
      "checkpoint-missing",
      `source ${source.name} holds no checkpoint of sync ${definition.sync.name} for target ${definition.target}`,
      {
        db: source.name,
        sync: definition.sync.name,
      },
    );
  }
  await reach("replicate.checkpoint-read");
  const checkpoint: Checkpoint = {
    text: taken.checkpoint,
    snapshot: parseSnapshot(taken.checkpoint),
    run: taken.run,
    sourceIdentity: taken.source_identity,
    targetIdentity: taken.target_identity,
    targetXid: taken.target_xid,
  };
  const wanted = new Set(definition.relations.map((relation) => displayName(relation.name)));
  const chosen = taken.tables.filter((table) => wanted.has(displayName(nameOf(table))));
  refuseMissing(source, definition, chosen);
  refuseLostKey(source, definition, chosen);
  return {
    snapshot: parseSnapshot(taken.snapshot),
    snapshotText: taken.snapshot,
    checkpoint,
    tables: await complete(source, chosen, checkpoint.snapshot, taken.set_aside),
  };
}

/** Tables are declared by name; a renamed one is found by its number and named by what it was. */
function nameOf(table: TakenTable): { schema: string; name: string } {
  return { schema: table.schema ?? table.was_schema, name: table.name ?? table.was_name };
}

function refuseMissing(source: Session, definition: RunDefinition, chosen: readonly TakenTable[]): void {
  const there = new Set(chosen.filter((table) => table.name !== null).map((table) => displayName(nameOf(table))));
  const missing = definition.relations
    .filter((relation) => relation.kind === "table" && !there.has(displayName(relation.name)))
    .map((relation) => displayName(relation.name));
  if (missing.length === 0) return;
  throw new BucardoError(
    "checkpoint-missing",
    `${missing.join(", ")} is not captured on source ${source.name} (dropped, renamed, or not yet validated)`,
    {
      db: source.name,
      sync: definition.sync.name,
      table: missing[0] ?? "",
      advice: `Run \`bucardo validate ${definition.sync.name}\`, or remove the table from the sync.`,
    },
  );
}

/** Said without waiting for a change: the application's writes fail in our trigger functions meanwhile (hazard 28). */
function refuseLostKey(source: Session, definition: RunDefinition, chosen: readonly TakenTable[]): void {
  const table = chosen.find((each) => each.lost_key.length > 0);
  if (table === undefined) return;
  const name = displayName(nameOf(table));
  throw new BucardoError(
    "schema-mismatch",
    `key column ${table.lost_key.join(", ")} of ${name} on source ${source.name} was renamed or dropped`,
    {
      db: source.name,
      sync: definition.sync.name,
      table: name,
      advice: `Writes to ${name} fail until \`bucardo validate ${definition.sync.name}\` captures its key again, or the column has its old name.`,
    },
  );
}

async function complete(
  source: Session,
  tables: readonly TakenTable[],
  checkpoint: Snapshot,
  setAside: readonly SetAsideCount[],
): Promise<BatchTable[]> {
  const aside = new Map(setAside.map((each) => [each.captured, each]));
  const states = await shapesOf(source, tables);
  const parts = tables.flatMap((table) => {
    const state = states.get(table.oid);
    const cutoff = table.since === null ? checkpoint : parseSnapshot(table.since);
    return state === undefined ? [] : [{ table, state, cutoff }];
  });
  const counts = await countPending(
    source,
    parts.flatMap(({ table, cutoff }) => table.generations.map((generation) => ({ captured: table.captured, generation, cutoff }))),
  );
  return parts.map(({ table, state, cutoff }) => ({
    captured: table.captured,
    oid: table.oid,
    name: nameOf(table),
    partitioned: table.partitioned,
    keyColumns: table.key,
    generations: table.generations,
    cutoff,
    recopy: table.recopy,
    version: table.version,
    joining: table.since !== null,
    truncated: [...new Set(table.truncations.filter(({ xid }) => xid >= cutoff.xmax || cutoff.xip.includes(xid)).map(({ leaf }) => leaf))],
    before: table.shape,
    now: state.shape,
    uncaptured: state.uncaptured,
    deltas: (counts.get(table.captured) ?? 0) + (aside.get(table.captured)?.replays ?? 0),
    setAside: aside.get(table.captured)?.rows ?? 0,
  }));
}

/** undefined_table, and internal_error: "could not open relation", which a part gives that was dropped since the snapshot while its bound was asked for. */
const DROPPED = new Set(["42P01", "XX000"]);

async function shapesOf(source: Session, tables: readonly TakenTable[]): Promise<Awaited<ReturnType<typeof readShapes>>> {
  try {
    return await readShapes(
      source,
      tables.map((table) => table.oid),
    );
  } catch (error) {
    if (!DROPPED.has(sqlstateOf(error) ?? "")) throw error;
    throw new BucardoError("run-void", "a table was dropped while the run looked at it", { db: source.name, cause: error });
  }
}

/** The server plans a chain of selects in a time that grows with its square, and refuses one of some thousands. */
const COUNTED_AT_ONCE = 200;

/** A few statements for all generations of all tables: waiting deltas by captured table. */
async function countPending(
  source: Session,
  parts: readonly { captured: number; generation: number; cutoff: Snapshot }[],
): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const some of chunks(parts, COUNTED_AT_ONCE)) {
    const text = some
      .map(
        ({ captured, generation, cutoff }) =>
          `select ${captured} as captured, count(*) as deltas from ${quoteName(deltaTable(captured, generation))} d where ${waits("d.xid", cutoff)}`,
      )
      .join("\nunion all ");
    const rows = await source.query<{ captured: number; deltas: number }>(sql("replicate.count-pending", text));
    for (const { captured, deltas } of rows) counts.set(captured, (counts.get(captured) ?? 0) + deltas);
  }
  return counts;
}
