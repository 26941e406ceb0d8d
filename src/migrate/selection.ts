import { matchRelations, readCandidates, type Candidate } from "../catalog/find.ts";
import { chooseKey, refusal } from "../catalog/key.ts";
import { standIn } from "../catalog/stand-in.ts";
import { readTables, type TableShape } from "../catalog/table.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/**
 * How a table crosses: `follow` by its key, with everything that changes meanwhile; without a key `image`, by what its rows hold, or `window`, whole while nobody
 * writes: small ones, and those that belong to others.
 */
export type MovedTable = QualifiedName & {
  /** On the old side: a table of that name may be another one later. */
  readonly oid: number;
  readonly key: readonly string[] | null;
  readonly handling: "follow" | "image" | "window";
  /** On disk, with TOAST, without indexes; partitions included. */
  readonly bytes: number;
  readonly unlogged: boolean;
  /** Why it has no key; null when it has. */
  readonly reason: string | null;
};

/** What takes part in a move. */
export type Selection = {
  /** Largest first. */
  readonly tables: readonly MovedTable[];
  readonly sequences: readonly QualifiedName[];
  /** Relations that stay behind, and why; never by silence. */
  readonly leftOut: readonly (QualifiedName & { readonly why: string })[];
  /** Tables and sequences that the patterns leave out. */
  readonly unchosen: readonly QualifiedName[];
};

export type Patterns = { readonly only: readonly string[]; readonly skip: readonly string[] };

/** Everything of the users' that fits the patterns. Partitions come with their root, what belongs to an extension with the extension. */
export async function selectRelations(old: Session, { only, skip }: Patterns): Promise<Selection> {
  const candidates = await readCandidates(old);
  const owned = await readExtensionMembers(old);
  const { found } = matchRelations(candidates, only.length === 0 ? ["*"] : only, { excludeTables: skip });
  const mine = found.filter((each) => !each.partition);
  const chosen = new Set(mine.map(displayName));
  const tables = mine.filter((each) => each.kind === "table" && !owned.has(displayName(each)));
  const shapes = await readTables(old, tables, { bounds: false });
  const sizes = await readSizes(
    old,
    [...shapes.values()].flatMap((shape) => shape.leaves.map((leaf) => leaf.oid)),
  );
  return {
    tables: tables.flatMap((table) => movedTable(shapes.get(displayName(table)), sizes)).toSorted((one, other) => other.bytes - one.bytes),
    sequences: mine
      .filter((each) => each.kind === "sequence" && !owned.has(displayName(each)))
      .map(({ schema, name }) => ({ schema, name })),
    leftOut: mine
      .filter((each) => owned.has(displayName(each)))
      .map(({ schema, name }) => ({ schema, name, why: "belongs to an extension" })),
    unchosen: candidates.filter((each) => !each.partition && !chosen.has(displayName(each))).map(({ schema, name }) => ({ schema, name })),
  };
}

/** Patterns that match nothing: a typing error would leave a table behind. */
export function unmatchedPatterns(
  candidates: readonly Candidate[],
  { only, skip }: Patterns,
): { pattern: string; nearest: string | null }[] {
  return [...matchRelations(candidates, only).unmatched, ...matchRelations(candidates, skip).unmatched];
}

function movedTable(shape: TableShape | undefined, sizes: ReadonlyMap<number, number>): MovedTable[] {
  // Gone since the candidates were read, or nothing that has rows of its own.
  if (shape === undefined || standIn(shape) !== null) return [];
  const key = chooseKey(shape, null)?.columns ?? null;
  const bytes = shape.leaves.reduce((sum, leaf) => sum + (sizes.get(leaf.oid) ?? 0), 0);
  return [
    {
      schema: shape.schema,
      name: shape.name,
      oid: shape.oid,
      key,
      handling: key !== null ? "follow" : bytes > SMALL_BYTES && canFollowImages(shape) ? "image" : "window",
      bytes,
      unlogged: shape.persistence === "u",
      reason: key === null ? refusal(shape, null) : null,
    },
  ];
}

/** A table without key up to this size is copied in the window: some hundredths of a second, and no cost before. */
const SMALL_BYTES = 4 * 1024 * 1024;

/** Of partitions and of parents and children of others a statement that names another table changes rows. */
function canFollowImages(shape: TableShape): boolean {
  const alone = shape.kind === "plain" && shape.inheritanceParents.length + shape.inheritanceChildren.length === 0;
  return alone && shape.columns.some(({ generated }) => generated === "");
}

async function readSizes(session: Session, tables: readonly number[]): Promise<Map<number, number>> {
  const rows = await session.query<{ oid: number; bytes: number }>(
    sql(
      "migrate.sizes",
      "select o as oid, coalesce(pg_catalog.pg_table_size(o::regclass), 0) as bytes from pg_catalog.unnest($1::oid[]) o",
      [tables],
    ),
  );
  return new Map(rows.map(({ oid, bytes }) => [oid, bytes]));
}

async function readExtensionMembers(session: Session): Promise<Set<string>> {
  const rows = await session.query<{ schema: string; name: string }>(
    sql(
      "migrate.extension-members",
      `select n.nspname::text as schema, c.relname::text as name
         from pg_catalog.pg_depend d join pg_catalog.pg_class c on c.oid = d.objid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
          and c.relkind in ('r', 'p', 'S')`,
    ),
  );
  return new Set(rows.map(displayName));
}
