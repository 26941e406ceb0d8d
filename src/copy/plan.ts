import { IN_COPY } from "../capture/register.ts";
import { readShapes, type Shape } from "../capture/shape.ts";
import { readTables, type TableShape } from "../catalog/table.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { termsText } from "../model/terms.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { readIdentity } from "../replicate/identity.ts";
import { chooseFill, readObstacles, type Fill, type Obstacles } from "./fill.ts";
import { canRange } from "./key-range.ts";
import type { LinkedTable } from "./link.ts";
import type { CopyOptions } from "./options.ts";

type Wanted = Pick<CopyOptions, "sync" | "target" | "pieceBytes" | "tables">;

type Subscribed = { readonly captured: number; readonly oid: number; readonly key: readonly string[]; readonly joined: boolean };

/** What is planned for one table: a row of bucardo.copy_table with its pieces. */
export type TablePlan = {
  readonly name: QualifiedName;
  readonly oid: number;
  readonly captured: number | null;
  readonly key: readonly string[] | null;
  readonly fill: Fill;
  readonly shape: unknown;
  readonly bytes: number;
  readonly pieces: readonly PiecePlan[];
};

/** Numbers that are kept free for what a part is cut into. */
const PIECES_PER_PART = 1_000_000;

/** `part` 0: the piece that empties the target's table. */
export type PiecePlan = { readonly part: number; readonly bytes: number; readonly state: "waiting" | "held"; readonly final: boolean };

/** Key columns of the tables that are captured for this target; the others are not in the map and travel in one snapshot each. */
export async function readSubscribed(source: Session, { sync, target }: Pick<Wanted, "sync" | "target">): Promise<Map<string, Subscribed>> {
  const rows = await source.query<Subscribed & QualifiedName>(
    sql(
      "copy.subscribed",
      `select t.id as captured, t.relation as oid, t.key_columns as key, s.joined, n.nspname::text as schema, c.relname::text as name
         from bucardo.subscription s
         join bucardo.captured_table t on t.id = s.captured_table
         join pg_class c on c.oid = t.relation
         join pg_namespace n on n.oid = c.relnamespace
        where s.sync = $1 and s.target = $2`,
      [sync.id, target],
    ),
  );
  return new Map(rows.map((row) => [displayName(row), row]));
}

/**
 * From its commit on runs leave these tables out, and none of their deltas is purged. Before the snapshot is taken from which their changes count:
 * otherwise a run that settles meanwhile could let go of deltas between that snapshot and this (hazards 13, 15).
 */
export async function leaveRuns(
  source: Session,
  { sync, target }: Pick<Wanted, "sync" | "target">,
  captured: readonly number[],
): Promise<void> {
  await source.execute(
    sql(
      "copy.leave-runs",
      "update bucardo.subscription set joined = false, recopy = false, since = $4 where sync = $1 and target = $2 and captured_table = any ($3::int[])",
      [sync.id, target, captured, IN_COPY],
    ),
  );
}

/**
 * Writes down what is to be copied: tables, the parts that hold their rows, and the one snapshot from which their changes count. It is taken after
 * capture was installed and before the first piece, so that whatever a piece misses, or sees too early, is among the deltas.
 */
export async function planCopy(source: Session, target: Session, wanted: Wanted, tables: readonly LinkedTable[]): Promise<void> {
  if (tables.length === 0) return;
  const subscribed = await readSubscribed(source, wanted);
  const captured = tables.flatMap(({ link }) => subscribed.get(displayName(link.name)) ?? []);
  await leaveRuns(
    source,
    wanted,
    captured.map((each) => each.captured),
  );
  const obstacles = await readObstacles(target, tables);
  await inOneSnapshot(source, async () => {
    const { since } = await source.one<{ since: string }>(sql("copy.since", "select txid_current_snapshot()::text as since"));
    const shapes = await readShapes(
      source,
      captured.map((each) => each.oid),
    );
    for (const each of captured) refuseUncaptured(source, tables, each, shapes.get(each.oid)?.uncaptured ?? []);
    const here = await readTables(
      source,
      tables.map(({ link }) => link.name),
      { bounds: false },
    );
    const sizes = await readSizes(source, [...here.values()]);
    const plans = tables.flatMap(({ link, target: there }) => {
      const shape = here.get(displayName(link.name));
      if (shape === undefined) return [];
      const known = subscribed.get(displayName(link.name));
      const facts = {
        captured: known?.captured ?? null,
        key: known?.key ?? null,
        cuttable: link.key !== null && canRange(link.key),
        partitionedTarget: there.kind === "partitioned",
        targetVersion: target.serverVersion,
        pieceBytes: wanted.pieceBytes,
        state: known === undefined ? null : onTerms(shapes.get(known.oid)?.shape, wanted, link.name),
      };
      return [planTable(shape, sizes, obstacles.get(displayName(link.name))!, facts)];
    });
    await writePlans(source, wanted, since, plans);
  });
}

/** Whether it was copied under the terms of then, the first run sees. */
function onTerms(shape: Shape | undefined, { tables }: Wanted, name: QualifiedName): Shape | null {
  const terms = tables.find((table) => displayName(table) === displayName(name))?.terms;
  return shape === undefined ? null : { ...shape, terms: termsText(terms) };
}

/** Somebody else may be planning the same tables; then again, and theirs count. */
const ATTEMPTS = 5;

async function inOneSnapshot(source: Session, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(source, { isolation: "repeatable read" }, work);
    } catch (error) {
      if (!(error instanceof BucardoError) || error.code !== "serialization" || attempt >= ATTEMPTS) throw error;
    }
  }
}

type Facts = {
  readonly captured: number | null;
  readonly key: readonly string[] | null;
  readonly cuttable: boolean;
  readonly partitionedTarget: boolean;
  readonly targetVersion: number;
  readonly pieceBytes: number;
  readonly state: unknown;
};

/** Pure. */
export function planTable(shape: TableShape, sizes: ReadonlyMap<number, number>, obstacles: Obstacles, facts: Facts): TablePlan {
  const parts = shape.leaves
    .map((leaf) => ({ part: leaf.oid, bytes: sizes.get(leaf.oid) ?? 0 }))
    .toSorted((one, other) => other.bytes - one.bytes);
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const small = bytes <= facts.pieceBytes || (parts.length === 1 && !facts.cuttable);
  const single = facts.captured === null || small;
  const fill = chooseFill(obstacles, { single, targetVersion: facts.targetVersion, partitioned: facts.partitionedTarget });
  const pieces: PiecePlan[] =
    fill === "refill"
      ? [{ part: shape.oid, bytes, state: "waiting", final: true }]
      : [
          { part: 0, bytes: 0, state: "waiting", final: true },
          ...parts.map((part): PiecePlan => ({ ...part, state: "held", final: !facts.cuttable || part.bytes <= facts.pieceBytes })),
        ];
  const { schema, name, oid } = shape;
  return { name: { schema, name }, oid, captured: facts.captured, key: facts.key, fill, shape: facts.state, bytes, pieces };
}

function refuseUncaptured(source: Session, tables: readonly LinkedTable[], { oid }: Subscribed, uncaptured: readonly number[]): void {
  if (uncaptured.length === 0) return;
  const table = displayName(tables.find((each) => each.source.oid === oid)!.link.name);
  throw new BucardoError(
    "checkpoint-missing",
    `${table} lacks triggers of ours on source ${source.name}: changes during its copy would be lost`,
    {
      db: source.name,
      table,
    },
  );
}

/** Bytes on disk with what is stored out of line. */
async function readSizes(source: Session, shapes: readonly TableShape[]): Promise<Map<number, number>> {
  const rows = await source.query<{ oid: number; bytes: number }>(
    sql("copy.sizes", "select o as oid, coalesce(pg_table_size(o), 0)::bigint as bytes from unnest($1::oid[]) o", [
      shapes.flatMap((shape) => shape.leaves.map((leaf) => leaf.oid)),
    ]),
  );
  return new Map(rows.map((row) => [row.oid, row.bytes]));
}

/** The biggest table first: what is begun last should be short. Somebody else may have planned the same table meanwhile; then theirs counts. */
async function writePlans(
  source: Session,
  { sync, target }: Pick<Wanted, "sync" | "target">,
  since: string,
  plans: readonly TablePlan[],
): Promise<void> {
  const ordered = plans.toSorted((one, other) => other.bytes - one.bytes);
  const identity = await readIdentity(source);
  await source.execute(
    sql(
      "copy.write-plans",
      `with plan as (
         select * from json_to_recordset($3::json)
           as p (schema text, name text, oid oid, captured int, key text[], fill text, shape jsonb, bytes bigint, rank int, pieces json)),
       written as (
         insert into bucardo.copy_table (sync, target, relation, schema_name, table_name, captured_table, key_columns, fill, since, shape, source_identity, bytes)
         select $1, $2, oid, schema, name, captured, key, fill, $4, shape, $5, bytes from plan
         on conflict do nothing
         returning id, schema_name, table_name)
       insert into bucardo.copy_piece (copy_table, number, rank, state, part, bytes_expected, final)
       select w.id, x.number, p.rank, x.state, x.part, x.bytes, x.final
         from written w join plan p on p.schema = w.schema_name and p.name = w.table_name
        cross join lateral json_to_recordset(p.pieces) as x (number bigint, state text, part oid, bytes bigint, final boolean)`,
      [
        sync.id,
        target,
        JSON.stringify(
          ordered.map(({ name, pieces, ...plan }, rank) => ({
            ...plan,
            ...name,
            rank,
            pieces: pieces.map((piece, index) => ({ ...piece, number: index * PIECES_PER_PART })),
          })),
        ),
        since,
        JSON.stringify(identity),
      ],
    ),
  );
}
