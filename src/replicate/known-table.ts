import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { termsText, type Terms } from "../model/terms.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { readShapes, type Shape, type TableState } from "../capture/shape.ts";
import type { RunDefinition } from "./definition.ts";

/** A captured table of a sync and what the checkpoint says of it; all that a run needs but what waits. */
export type KnownTable = {
  readonly captured: number;
  readonly oid: number;
  /** Tables are declared by name; a renamed one is found by its number, and a dropped one is named by what it was. */
  readonly name: QualifiedName;
  /** As it was called when capture began. */
  readonly was: QualifiedName;
  readonly dropped: boolean;
  readonly partitioned: boolean;
  readonly terms: Terms | undefined;
  readonly key: readonly string[];
  /** Its deltas tell by which databases a change came. */
  readonly stamped: boolean;
  readonly since: string | null;
  readonly recopy: boolean;
  readonly version: string;
  readonly lostKey: readonly string[];
  readonly before: Shape | null;
  /** Null: dropped since the snapshot. */
  readonly state: TableState | null;
};

type Row = {
  captured: number;
  oid: number;
  schema: string | null;
  name: string | null;
  was_schema: string;
  was_name: string;
  partitioned: boolean;
  key: string[];
  stamped: boolean;
  since: string | null;
  recopy: boolean;
  version: string;
  lost_key: string[];
  shape: Shape | null;
};

/** The subscribed tables of a sync, or some of them by their capture numbers, as the transaction's snapshot sees them; in the order of these numbers. */
export async function readKnownTables(
  source: Session,
  definition: RunDefinition,
  captured: readonly number[] | null,
): Promise<KnownTable[]> {
  const rows = await source.query<Row>(
    sql(
      "replicate.tables",
      `select t.id as captured, t.relation::bigint as oid, n.nspname as schema, r.relname as name, t.schema_name as was_schema, t.table_name as was_name,
              coalesce(r.relkind = 'p', false) as partitioned, t.key_columns as key, t.stamped, s.since, s.recopy, s.xmin::text as version, s.shape,
              array(select k from unnest(t.key_columns) k
                     where not exists (select from pg_attribute a where a.attrelid = t.relation and a.attname = k and not a.attisdropped)) as lost_key
         from bucardo.subscription s
         join bucardo.captured_table t on t.id = s.captured_table
         left join pg_class r on r.oid = t.relation
         left join pg_namespace n on n.oid = r.relnamespace
        where s.sync = $1 and s.target = $2 and s.joined and ($3::int[] is null or t.id = any ($3::int[]))
        order by t.id`,
      [definition.sync.id, definition.target, captured],
    ),
  );
  const wanted = new Map(definition.relations.map((relation) => [displayName(relation.name), relation]));
  const states = await shapesOf(
    source,
    rows.filter((row) => wanted.has(displayName(nameOf(row)))).map((row) => row.oid),
  );
  return rows.map((row) => ({
    captured: row.captured,
    oid: row.oid,
    name: nameOf(row),
    terms: wanted.get(displayName(nameOf(row)))?.terms,
    was: { schema: row.was_schema, name: row.was_name },
    dropped: row.name === null,
    partitioned: row.partitioned,
    key: row.key,
    stamped: row.stamped,
    since: row.since,
    recopy: row.recopy,
    version: row.version,
    lostKey: row.lost_key,
    before: row.shape,
    state: onTerms(states.get(row.oid), wanted.get(displayName(nameOf(row)))?.terms),
  }));
}

/** What is carried otherwise is of another shape. */
function onTerms(state: TableState | undefined, terms: Terms | undefined): TableState | null {
  const text = termsText(terms);
  if (state === undefined) return null;
  return text === "" ? state : { ...state, shape: { ...state.shape, terms: text } };
}

function nameOf(row: Row): QualifiedName {
  return { schema: row.schema ?? row.was_schema, name: row.name ?? row.was_name };
}

/** undefined_table, and internal_error: "could not open relation", which a part gives that was dropped since the snapshot while its bound was asked for. */
const DROPPED = new Set(["42P01", "XX000"]);

async function shapesOf(source: Session, tables: readonly number[]): Promise<Map<number, TableState>> {
  if (tables.length === 0) return new Map();
  try {
    return await readShapes(source, tables);
  } catch (error) {
    if (!DROPPED.has(sqlstateOf(error) ?? "")) throw error;
    throw new BucardoError("run-void", "a table was dropped while the run looked at it", { db: source.name, cause: error });
  }
}
