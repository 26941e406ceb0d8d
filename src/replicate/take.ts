import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { parseSnapshot, type Snapshot } from "../model/snapshot.ts";
import { sameShape } from "../capture/shape.ts";
import type { Answer } from "../postgres/batch.ts";
import type { Session } from "../postgres/session.ts";
import { rollbackQuietly } from "../postgres/transaction.ts";
import { counting, countPending, type Counted } from "./count-pending.ts";
import type { Batch, BatchTable, RunDefinition } from "./definition.ts";
import { isAsExpected, type Expectation } from "./expectation.ts";
import { holding, isGoneOrHeld, refuseChanged } from "./hold.ts";
import { readKnownTables, type KnownTable } from "./known-table.ts";
import { beginWithLook, look, type Look, type Stirred } from "./look.ts";
import { refuseLostKey, refuseMissing } from "./refuse-missing.ts";

/**
 * What the last run on this connection knew of its tables. While the fingerprints are the same, only the tables for which something may wait are looked
 * at again: the others are as their checkpoint has them.
 */
type Memory = {
  readonly definition: Pick<RunDefinition, "relations" | "target"> & { readonly sync: string };
  readonly print: string;
  readonly columns: string;
  readonly columnsAt: number;
  /** Tables that a run must look at although nothing waits for them. */
  readonly restless: ReadonlySet<number>;
  /** Subscribed, and no part of the definition. */
  readonly leftOut: readonly number[];
  /** Those that were needed so far. */
  readonly tables: Map<number, KnownTable>;
};

const memories = new WeakMap<Session, Memory>();

/** With more tables, the columns of all of them are too much to read each time: what happened to those of a table that nobody writes is noticed a little later. */
const COLUMNS_EACH_TIME = 1000;
const COLUMNS_MS = 10_000;

/**
 * Begins the run's REPEATABLE READ transaction: its first statement takes the snapshot, and everything read with it belongs to it, the
 * checkpoint too. The caller holds the sync's lock on the target, so that no other run stands between its commit there and its settling (hazard 3).
 * What is expected is counted and locked along with the look, and then the batch is held already.
 */
export async function take(source: Session, definition: RunDefinition, expected: Expectation | null = null): Promise<Batch> {
  const memory = remembered(source, definition);
  const withColumns = memory === null || memory.columnsAt + COLUMNS_MS <= performance.now();
  const ahead = await lookAhead(source, definition, withColumns, expected);
  let { found } = ahead;
  if (found === null || found.checkpoint === null) throw checkpointMissing(source, definition);
  await reach("replicate.checkpoint-read");
  const checkpoint = {
    text: found.checkpoint,
    snapshot: parseSnapshot(found.checkpoint),
    run: found.run,
    sourceIdentity: found.source_identity,
    targetIdentity: found.target_identity,
    targetXid: found.target_xid,
  };
  let known = memory !== null && isSame(memory, found) ? memory : null;
  if (known === null) {
    // Of the same snapshot; sizes of later are as good.
    if (found.columns === null) found = (await look(source, definition, true))!;
    known = await readAll(source, definition, found);
  }
  if (found.columns !== null && definition.onetimecopy === 0) memories.set(source, { ...known, columnsAt: columnsAt(found) });
  const tables = describe(definition, await tablesToLookAt(source, definition, known, found), found, checkpoint.snapshot);
  const { expected: usual, answers } = ahead;
  const asExpected = usual !== null && isAsExpected(usual, found.checkpoint!, tables);
  if (asExpected) refuseChanged(source, answers.at(-1));
  const counted = asExpected ? (answers[0]!.rows as Counted[]) : await countPending(source, partsOf(tables));
  return {
    snapshot: parseSnapshot(found.snapshot),
    snapshotText: found.snapshot,
    checkpoint,
    tables: withCounts(tables, counted),
    leftOut: known.leftOut,
    held: new Set(asExpected ? usual.plans.map(({ table }) => table.captured) : []),
  };
}

type Ahead = { readonly found: Look | null; readonly expected: Expectation | null; readonly answers: readonly Answer[] };

/** What is expected may be away or locked by now: then the look is all that is asked. */
async function lookAhead(source: Session, definition: RunDefinition, withColumns: boolean, expected: Expectation | null): Promise<Ahead> {
  if (expected !== null) {
    const { batch, plans, cutoff } = expected;
    const parts = partsOf(batch.tables).map((part) => ({ ...part, cutoff }));
    try {
      const [found, answers] = await beginWithLook(source, definition, withColumns, [counting(parts), ...holding(source, batch, plans)]);
      return { found, expected, answers };
    } catch (error) {
      if (!isGoneOrHeld(error)) throw error;
      await rollbackQuietly(source);
    }
  }
  const [found] = await beginWithLook(source, definition, withColumns, []);
  return { found, expected: null, answers: [] };
}

/** A copy of whole tables concerns those at rest too. */
function remembered(source: Session, definition: RunDefinition): Memory | null {
  const memory = memories.get(source);
  if (memory === undefined || definition.onetimecopy !== 0) return null;
  const { sync, target, relations } = memory.definition;
  return sync === definition.sync.id && target === definition.target && relations === definition.relations ? memory : null;
}

function isSame(memory: Memory, found: Look): boolean {
  return memory.print === found.print && (found.columns === null || memory.columns === found.columns);
}

function columnsAt({ tables }: Look): number {
  return tables <= COLUMNS_EACH_TIME ? -Infinity : performance.now();
}

async function readAll(source: Session, definition: RunDefinition, found: Look): Promise<Memory> {
  const all = await readKnownTables(source, definition, null);
  const wanted = new Set(definition.relations.map((relation) => displayName(relation.name)));
  const chosen = all.filter((table) => wanted.has(displayName(table.name)));
  await refuseMissing(source, definition, all);
  refuseLostKey(source, definition, chosen);
  const restless = new Set(chosen.filter((table) => definition.onetimecopy !== 0 || isRestless(table)).map((table) => table.captured));
  const stirred = new Set(found.stirred.map(({ captured }) => captured));
  return {
    definition: { sync: definition.sync.id, target: definition.target, relations: definition.relations },
    print: found.print,
    columns: found.columns ?? "",
    columnsAt: columnsAt(found),
    restless,
    leftOut: all.filter((table) => !chosen.includes(table)).map((table) => table.captured),
    tables: new Map(
      chosen.filter(({ captured }) => restless.has(captured) || stirred.has(captured)).map((table) => [table.captured, table]),
    ),
  };
}

function isRestless({ recopy, since, before, state }: KnownTable): boolean {
  return recopy || since !== null || state === null || state.uncaptured.length > 0 || !sameShape(before, state.shape);
}

async function tablesToLookAt(source: Session, definition: RunDefinition, known: Memory, found: Look): Promise<KnownTable[]> {
  const leftOut = new Set(known.leftOut);
  const wanted = new Set([
    ...known.restless,
    ...found.stirred.map(({ captured }) => captured).filter((captured) => !leftOut.has(captured)),
  ]);
  const unknown = [...wanted].filter((captured) => !known.tables.has(captured));
  if (unknown.length > 0) for (const table of await readKnownTables(source, definition, unknown)) known.tables.set(table.captured, table);
  return [...wanted].toSorted((one, other) => one - other).flatMap((captured) => known.tables.get(captured) ?? []);
}

/** Without what waits in their delta tables. */
function describe({ target }: RunDefinition, tables: readonly KnownTable[], found: Look, checkpoint: Snapshot): BatchTable[] {
  const stirred = new Map(found.stirred.map((each) => [each.captured, each]));
  return tables.flatMap((table) => {
    const { state, since } = table;
    if (state === null) return [];
    const cutoff = since === null ? checkpoint : parseSnapshot(since);
    const waiting = stirred.get(table.captured) ?? AT_REST;
    return {
      captured: table.captured,
      oid: table.oid,
      name: table.name,
      partitioned: table.partitioned,
      terms: table.terms,
      keyColumns: table.key,
      except: table.stamped ? target : null,
      generations: waiting.generations,
      cutoff,
      recopy: table.recopy,
      version: table.version,
      joining: table.since !== null,
      first: table.since !== null || found.run === 0,
      truncated: [
        ...new Set(waiting.truncations.filter(({ xid }) => xid >= cutoff.xmax || cutoff.xip.includes(xid)).map(({ leaf }) => leaf)),
      ],
      before: table.before,
      now: state.shape,
      uncaptured: state.uncaptured,
      deltas: waiting.replays.length,
      setAside: waiting.aside,
      replays: waiting.replays,
    };
  });
}

function partsOf(tables: readonly BatchTable[]) {
  return tables.flatMap(({ captured, generations, cutoff }) => generations.map((generation) => ({ captured, generation, cutoff })));
}

function withCounts(tables: readonly BatchTable[], counted: readonly Counted[]): BatchTable[] {
  const counts = new Map<number, number>();
  for (const { captured, deltas } of counted) counts.set(captured, (counts.get(captured) ?? 0) + deltas);
  return tables.map((table) => ({ ...table, deltas: table.deltas + (counts.get(table.captured) ?? 0) }));
}

const AT_REST: Omit<Stirred, "captured"> = { generations: [], truncations: [], aside: 0, replays: [] };

function checkpointMissing(source: Session, { sync, target }: RunDefinition): BucardoError {
  return new BucardoError("checkpoint-missing", `source ${source.name} holds no checkpoint of sync ${sync.name} for target ${target}`, {
    db: source.name,
    sync: sync.name,
  });
}
