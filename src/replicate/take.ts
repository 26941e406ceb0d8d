import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { parseSnapshot, type Snapshot } from "../model/snapshot.ts";
import { sameShape } from "../capture/shape.ts";
import type { Session } from "../postgres/session.ts";
import { countPending } from "./count-pending.ts";
import type { Batch, BatchTable, RunDefinition } from "./definition.ts";
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
 */
export async function take(source: Session, definition: RunDefinition): Promise<Batch> {
  const memory = remembered(source, definition);
  const withColumns = memory === null || memory.columnsAt + COLUMNS_MS <= performance.now();
  let found = await beginWithLook(source, definition, withColumns);
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
  return {
    snapshot: parseSnapshot(found.snapshot),
    snapshotText: found.snapshot,
    checkpoint,
    tables: await complete(source, await tablesToLookAt(source, definition, known, found), found, checkpoint.snapshot),
    leftOut: known.leftOut,
  };
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
  refuseMissing(source, definition, all);
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

async function complete(source: Session, tables: readonly KnownTable[], found: Look, checkpoint: Snapshot): Promise<BatchTable[]> {
  const stirred = new Map(found.stirred.map((each) => [each.captured, each]));
  const parts = tables.flatMap((table) => {
    const { state, since } = table;
    const cutoff = since === null ? checkpoint : parseSnapshot(since);
    return state === null ? [] : [{ table, state, cutoff, waiting: stirred.get(table.captured) ?? AT_REST }];
  });
  const counts = await countPending(
    source,
    parts.flatMap(({ table: { captured }, cutoff, waiting }) =>
      waiting.generations.map((generation) => ({ captured, generation, cutoff })),
    ),
  );
  return parts.map(({ table, state, cutoff, waiting }) => ({
    captured: table.captured,
    oid: table.oid,
    name: table.name,
    partitioned: table.partitioned,
    keyColumns: table.key,
    generations: waiting.generations,
    cutoff,
    recopy: table.recopy,
    version: table.version,
    joining: table.since !== null,
    truncated: [
      ...new Set(waiting.truncations.filter(({ xid }) => xid >= cutoff.xmax || cutoff.xip.includes(xid)).map(({ leaf }) => leaf)),
    ],
    before: table.before,
    now: state.shape,
    uncaptured: state.uncaptured,
    deltas: (counts.get(table.captured) ?? 0) + waiting.replays.length,
    setAside: waiting.aside,
    replays: waiting.replays,
  }));
}

const AT_REST: Omit<Stirred, "captured"> = { generations: [], truncations: [], aside: 0, replays: [] };

function checkpointMissing(source: Session, { sync, target }: RunDefinition): BucardoError {
  return new BucardoError("checkpoint-missing", `source ${source.name} holds no checkpoint of sync ${sync.name} for target ${target}`, {
    db: source.name,
    sync: sync.name,
  });
}
