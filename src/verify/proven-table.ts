import { readKeysOf, type KeyColumn } from "../capture/key-column.ts";
import { readTables } from "../catalog/table.ts";
import { canRange } from "../copy/key-range.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { planScans, type Scans, type TableJob } from "./compare-table.ts";
import type { RangeKeys } from "./cut-table.ts";
import { planLookup, type Lookup } from "./look-up.ts";
import { pairTables, type TablePair } from "./pair.ts";
import type { ProofJob } from "./proof-job.ts";

/** A table of a proof with everything needed to read it by key or as a whole, on both sides. */
export type ProvenTable = {
  readonly name: QualifiedName;
  readonly job: TableJob;
  readonly scans: Scans;
  readonly key: readonly KeyColumn[];
  readonly lookups: { readonly source: Lookup; readonly target: Lookup };
  readonly bytes: number;
  /** How both sides find a range of keys; null: it is looked at in one piece, whatever its size. */
  readonly ranges: RangeKeys | null;
};

/** Looked up once; a change of structure meanwhile is another gate's affair. Errors: schema-mismatch. */
export async function readProvenTables({ source, target, definition, signal }: ProofJob): Promise<Map<string, ProvenTable>> {
  const relations = definition.relations.filter(({ kind }) => kind === "table");
  const names = relations.map(({ name }) => name);
  const [here, there] = await Promise.all([readTables(source, names, { bounds: false }), readTables(target, names, { bounds: false })]);
  const { tables, problems } = pairTables(relations, { db: source.name, tables: here }, { db: target.name, tables: there });
  const [problem] = problems;
  if (problem !== undefined)
    throw new BucardoError("schema-mismatch", `${problem.table} ${problem.what}`, { advice: problem.remedy, problems });
  const keysOf = (session: Session, side: "source" | "target") =>
    readKeysOf(
      session,
      tables.map((pair) => ({ oid: pair[side].oid, columns: pair.key })),
    );
  const [keys, targetKeys] = await Promise.all([keysOf(source, "source"), keysOf(target, "target")]);
  const sizes = await readTableSizes(source, tables);
  const proven = new Map<string, ProvenTable>();
  for (const [index, pair] of tables.entries()) {
    const job: TableJob = { source, target, table: pair, key: pair.key, ...(signal !== undefined && { signal }) };
    const scans = planScans(job);
    const [key, targetKey] = [keys[index]!, targetKeys[index]!];
    proven.set(displayName(pair.source), {
      name: { schema: pair.source.schema, name: pair.source.name },
      job,
      scans,
      key,
      lookups: { source: planLookup(scans.source, key), target: planLookup(scans.target, targetKey) },
      bytes: pair.source.leaves.reduce((sum, { oid }) => sum + (sizes.get(oid) ?? 0), 0),
      ranges: canRange(key) && canRange(targetKey) ? { source: key, target: targetKey } : null,
    });
  }
  return proven;
}

async function readTableSizes(source: Session, tables: readonly TablePair[]): Promise<Map<number, number>> {
  const rows = await source.query<{ oid: number; bytes: number }>(
    sql("verify.sizes", "select o as oid, coalesce(pg_table_size(o), 0)::int8 as bytes from unnest($1::oid[]) o", [
      tables.flatMap((pair) => pair.source.leaves.map(({ oid }) => oid)),
    ]),
  );
  return new Map(rows.map(({ oid, bytes }) => [oid, bytes]));
}

/** Tables that are looked at in one snapshot; what is larger stands alone. */
const TOGETHER_BYTES = 64 * 1024 * 1024;

export function groupBySize(tables: readonly ProvenTable[]): QualifiedName[][] {
  const groups: QualifiedName[][] = [];
  let room = 0;
  for (const { name, bytes } of tables.toSorted((one, other) => one.bytes - other.bytes)) {
    if (groups.length === 0 || bytes > room) {
      groups.push([]);
      room = TOGETHER_BYTES;
    }
    groups.at(-1)!.push(name);
    room -= bytes;
  }
  return groups;
}
