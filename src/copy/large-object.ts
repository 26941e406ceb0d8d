import { BucardoError } from "../model/error.ts";
import { copyBetween } from "../postgres/copy.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { listNewObjects, listObjects, type ObjectPair } from "./large-object-list.ts";
import { carryRights } from "./large-object-rights.ts";
import { SEGMENT, windowsOf, type Segment } from "./large-object-window.ts";

export type LargeObjectJob = {
  readonly source: Session;
  readonly target: Session;
  readonly signal: AbortSignal;
  /** Those that only the target has go. */
  readonly remove: boolean;
  readonly pace?: ((bytes: number) => number) | undefined;
  /** Objects looked at and bytes carried so far. */
  readonly onProgress?: (objects: number, bytes: number) => void;
};

/** `changed`: made or written to; `bytes`: what crossed. */
export type LargeObjectResult = { readonly objects: number; readonly changed: number; readonly removed: number; readonly bytes: number };

/** undefined_object: the application removed one while we looked at it. */
const GONE = "42704";
const ATTEMPTS = 5;

/**
 * Makes the target's large objects those of the source: segment by segment, and only those whose hashes differ travel, so that the same call serves for the
 * first copy, after any end of it, and once more when nobody writes. Nothing captures them. Owners and grants come along. Through the
 * server's functions, which ask for no more than the right to read and to write each object.
 */
export async function carryLargeObjects(job: LargeObjectJob): Promise<LargeObjectResult> {
  const result = { objects: 0, changed: 0, removed: 0, bytes: 0 };
  for await (const pairs of listObjects(job.source, job.target)) {
    job.signal.throwIfAborted();
    const extra = pairs.filter((pair) => pair.source === null);
    if (job.remove && extra.length > 0) result.removed += await remove(job.target, extra);
    const there = pairs.filter((pair) => pair.source !== null);
    result.objects += there.length;
    const carried = await carryWithPatience(job, there, (bytes) => job.onProgress?.(result.objects, result.bytes + bytes));
    await carryRights(job.source, job.target, oidsOf(there));
    result.bytes += carried.bytes;
    result.changed += carried.changed;
    job.onProgress?.(result.objects, result.bytes);
  }
  return result;
}

/** What `carryLargeObjects` may still want to know of later: the oldest transaction that is open now. To be asked before it. */
export async function markLargeObjects(source: Session): Promise<number> {
  const { since } = await source.one<{ since: number }>(
    sql("copy.large-object-mark", "select txid_snapshot_xmin(txid_current_snapshot()) as since"),
  );
  return since;
}

/** Only those made since the mark: next to no work, however many there are. Returns how many were looked at. */
export async function carryNewLargeObjects(job: LargeObjectJob, since: number): Promise<number> {
  const pairs = await listNewObjects(job.source, job.target, since);
  if (pairs.length === 0) return 0;
  await carryWithPatience(job, pairs, () => undefined);
  await carryRights(job.source, job.target, oidsOf(pairs));
  return pairs.length;
}

function oidsOf(pairs: readonly ObjectPair[]): number[] {
  return pairs.map(({ oid }) => oid);
}

/** Numbers of those that are not the same on both sides; both must be at rest. At most `limit`, in order. */
export async function compareLargeObjects(source: Session, target: Session, limit = 20): Promise<number[]> {
  const differing = new Set<number>();
  for await (const pairs of listObjects(source, target)) {
    for (const pair of pairs.filter(({ source: here, target: there }) => here !== there)) differing.add(pair.oid);
    for (const segments of windowsOf(pairs.filter(({ source: here, target: there }) => here === there))) {
      for (const { oid } of await differingSegments(source, target, segments)) differing.add(oid);
    }
    if (differing.size >= limit) break;
  }
  return [...differing].toSorted((one, other) => one - other).slice(0, limit);
}

type Carried = { readonly bytes: number; readonly changed: number };

async function carryWithPatience(job: LargeObjectJob, pairs: readonly ObjectPair[], onBytes: (bytes: number) => void): Promise<Carried> {
  for (let attempt = 1, left = pairs; ; attempt++) {
    try {
      return await carry(job, left, onBytes);
    } catch (error) {
      if (!(error instanceof BucardoError) || sqlstateOf(error) !== GONE || attempt >= ATTEMPTS) throw error;
      left = await stillThere(job.source, left);
    }
  }
}

async function carry(job: LargeObjectJob, pairs: readonly ObjectPair[], onBytes: (bytes: number) => void): Promise<Carried> {
  const changed = new Set<number>();
  let bytes = 0;
  const made = new Set<number>();
  for (const segments of windowsOf(pairs)) {
    job.signal.throwIfAborted();
    const known = segments.filter((segment) => segment.pair.target !== null);
    const travelling = [
      ...segments.filter((segment) => segment.pair.target === null),
      ...(await differingSegments(job.source, job.target, known)),
    ];
    const missing = [...new Set(travelling.filter(({ pair, oid }) => pair.target === null && !made.has(oid)).map(({ oid }) => oid))];
    const long = segments.filter(({ pair, part }) => part === 0 && (pair.target ?? 0) > (pair.source ?? 0)).map(({ pair }) => pair);
    if (travelling.length === 0 && long.length === 0) continue;
    bytes += await transaction(job.target, {}, async () => {
      await make(job.target, missing);
      const moved = await put(job, travelling);
      await cut(job.target, long);
      return moved;
    });
    for (const oid of missing) made.add(oid);
    for (const { oid } of [...travelling, ...long]) changed.add(oid);
    onBytes(bytes);
  }
  return { bytes, changed: changed.size };
}

async function differingSegments(source: Session, target: Session, segments: readonly Segment[]): Promise<Segment[]> {
  if (segments.length === 0) return [];
  const [here, there] = [await hashes(source, segments), await hashes(target, segments)];
  return segments.filter((_, index) => here[index] !== there[index]);
}

async function hashes(session: Session, segments: readonly Segment[]): Promise<string[]> {
  const rows = await session.query<{ hash: string }>(
    sql(
      "copy.large-object-hashes",
      `select md5(lo_get(s.oid, s.part * ${SEGMENT}, ${SEGMENT})) as hash from unnest($1::oid[], $2::int8[]) with ordinality s (oid, part, n) order by n`,
      arraysOf(segments),
    ),
  );
  return rows.map((row) => row.hash);
}

/** Bytes carried. */
async function put(job: LargeObjectJob, segments: readonly Segment[]): Promise<number> {
  if (segments.length === 0) return 0;
  const { source, target, signal, pace } = job;
  await target.execute(
    sql("copy.large-object-stage", "create temp table bucardo_large_object (loid oid, part int8, data bytea) on commit drop"),
  );
  const list = `unnest('{${segments.map(({ oid }) => oid).join(",")}}'::oid[], '{${segments.map(({ part }) => part).join(",")}}'::int8[])`;
  const { bytes } = await copyBetween({
    from: source,
    fromText: sql(
      "copy.read-large-objects",
      `copy (select s.oid, s.part, lo_get(s.oid, s.part * ${SEGMENT}, ${SEGMENT}) from ${list} s (oid, part)) to stdout (format binary)`,
    ),
    to: target,
    toText: sql("copy.stage-large-objects", "copy pg_temp.bucardo_large_object from stdin (format binary)"),
    signal,
    pace,
  });
  await target.execute(
    sql("copy.put-large-objects", `select lo_put(loid, part * ${SEGMENT}, data) from pg_temp.bucardo_large_object where length(data) > 0`),
  );
  return bytes;
}

async function make(target: Session, oids: readonly number[]): Promise<void> {
  if (oids.length === 0) return;
  await target.execute(sql("copy.make-large-objects", "select lo_create(o) from unnest($1::oid[]) o", [oids]));
}

/** 393216: for reading and writing. */
async function cut(target: Session, pairs: readonly ObjectPair[]): Promise<void> {
  if (pairs.length === 0) return;
  await target.execute(
    sql("copy.cut-large-objects", "select lo_truncate64(lo_open(s.oid, 393216), s.size) from unnest($1::oid[], $2::int8[]) s (oid, size)", [
      pairs.map((pair) => pair.oid),
      pairs.map((pair) => pair.source),
    ]),
  );
}

async function remove(target: Session, pairs: readonly ObjectPair[]): Promise<number> {
  return await target.execute(
    sql("copy.remove-large-objects", "select lo_unlink(o) from unnest($1::oid[]) o", [pairs.map((pair) => pair.oid)]),
  );
}

async function stillThere(source: Session, pairs: readonly ObjectPair[]): Promise<ObjectPair[]> {
  const rows = await source.query<{ oid: number }>(
    sql("copy.large-objects-there", "select oid from pg_largeobject_metadata where oid = any ($1::oid[])", [pairs.map((pair) => pair.oid)]),
  );
  const there = new Set(rows.map((row) => row.oid));
  return pairs.filter((pair) => there.has(pair.oid));
}

function arraysOf(segments: readonly Segment[]): [number[], number[]] {
  return [segments.map(({ oid }) => oid), segments.map(({ part }) => part)];
}
