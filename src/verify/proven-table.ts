import { readKeyColumns, type KeyColumn } from "../capture/key-column.ts";
import { readTables } from "../catalog/table.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { planScans, type Scans, type TableJob } from "./compare-table.ts";
import { planLookup, type Lookup } from "./look-up.ts";
import { pairTables } from "./pair.ts";
import type { ProofJob } from "./proof-job.ts";
import { tableBytes } from "./scan.ts";

/** A table of a proof with everything needed to read it by key or as a whole, on both sides. */
export type ProvenTable = {
  readonly name: QualifiedName;
  readonly job: TableJob;
  readonly scans: Scans;
  readonly key: readonly KeyColumn[];
  readonly lookups: { readonly source: Lookup; readonly target: Lookup };
  readonly bytes: number;
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
  const proven = new Map<string, ProvenTable>();
  for (const pair of tables) {
    const job: TableJob = { source, target, table: pair, key: pair.key, ...(signal !== undefined && { signal }) };
    const scans = planScans(job);
    proven.set(displayName(pair.source), {
      name: { schema: pair.source.schema, name: pair.source.name },
      job,
      scans,
      key: await readKeyColumns(source, pair.source.oid, pair.key),
      lookups: {
        source: await planLookup(scans.source, pair.source.oid, pair.key),
        target: await planLookup(scans.target, pair.target.oid, pair.key),
      },
      bytes: await tableBytes(source, pair.source),
    });
  }
  return proven;
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
