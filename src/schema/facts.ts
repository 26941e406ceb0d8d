import { chooseKey } from "../catalog/key.ts";
import { readAvailableExtensions } from "./extensions.ts";
import { readTables, type TableShape } from "../catalog/table.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Catalogue numbers, the same in every version. */
export const CLASS = {
  relation: 1259,
  constraint: 2606,
  trigger: 2620,
  rule: 2618,
  policy: 3256,
  statistics: 3381,
  default: 2604,
  extension: 3079,
} as const;

/** What the catalogue of the source says of a part of a table, exactly and without reading statements. */
export type Fact = {
  /** The table; of an index also. */
  readonly of: QualifiedName;
  /** Its own name, exactly; empty where it has none. pg_dump's remarks hold names too, but line breaks in them are blanks there. */
  readonly ownName: string;
  readonly partitioned: boolean;
  /** pg_constraint.contype, or `unique`, `exclusion`, `index` for indexes. */
  readonly detail: string;
  /** The index itself, or the one behind a constraint; 0 for none. */
  readonly index: number;
  readonly validated: boolean;
  readonly pages: number;
};

export type Facts = {
  /** By class and oid (`factKey`). */
  readonly parts: ReadonlyMap<string, Fact>;
  /** Indexes, by `displayName`: INDEX ATTACH tells only names. */
  readonly indexes: ReadonlyMap<string, number>;
  /** Indexes that name rows in replication, with those of the partitions. */
  readonly keys: ReadonlySet<number>;
  /** Extensions whose comment is the one that they bring along. */
  readonly plainExtensions: ReadonlySet<number>;
};

export function factKey(of: { readonly classId: number; readonly oid: number }): string {
  return `${of.classId}/${of.oid}`;
}

type PartRow = Fact & { readonly classId: number; readonly oid: number; readonly schema: string; readonly name: string };
type IndexRow = QualifiedName & {
  readonly oid: number;
  readonly tableOid: number;
  readonly parent: number;
  readonly rootKey: boolean;
  readonly columns: string[];
  readonly unique: boolean;
};

/** Reads them with a few queries, however many objects there are. */
export async function readFacts(session: Session): Promise<Facts> {
  const rows = await session.query<PartRow>(partsStatement);
  const parts = new Map(rows.map((row) => [factKey(row), { ...row, of: { schema: row.schema, name: row.name } }]));
  const indexes = await session.query<IndexRow>(indexesStatement);
  const available = await readAvailableExtensions(session);
  const commented = await session.query<{ oid: number; name: string; comment: string | null }>(extensionCommentsStatement);
  return {
    parts,
    indexes: new Map(indexes.map((index) => [displayName(index), index.oid])),
    keys: withPartitions(indexes, await keysOfTables(session, indexes)),
    plainExtensions: new Set(commented.filter(({ name, comment }) => available?.get(name)?.comment === comment).map(({ oid }) => oid)),
  };
}

/** PRIMARY KEYs; for tables without one the key that replication would choose. */
async function keysOfTables(session: Session, indexes: readonly IndexRow[]): Promise<Set<number>> {
  const keys = new Set(indexes.filter((index) => index.rootKey).map((index) => index.oid));
  const keyless = await session.query<QualifiedName>(keylessStatement);
  const shapes = await readTables(session, keyless, { bounds: false });
  for (const shape of shapes.values()) for (const oid of chosenIndexes(shape, indexes)) keys.add(oid);
  return keys;
}

/** The index of the key; when only each partition has it, those of the partitions. */
function chosenIndexes(shape: TableShape, indexes: readonly IndexRow[]): number[] {
  const key = chooseKey(shape, null);
  if (key === null) return [];
  const tables = new Set(key.onRoot ? [shape.oid] : shape.leaves.map((leaf) => leaf.oid));
  const wanted = [...key.columns].toSorted().join("\0");
  return indexes
    .filter((index) => tables.has(index.tableOid) && index.unique && index.columns.toSorted().join("\0") === wanted)
    .filter((index) => !key.onRoot || index.name === key.name)
    .map((index) => index.oid);
}

function withPartitions(indexes: readonly IndexRow[], keys: ReadonlySet<number>): Set<number> {
  const all = new Set(keys);
  for (let before = -1; before !== all.size;) {
    before = all.size;
    for (const { oid, parent } of indexes) if (all.has(parent)) all.add(oid);
  }
  return all;
}

const users = "n.nspname <> 'information_schema' and n.nspname !~ '^pg_'";

/** Constraints, indexes, triggers, rules, policies, statistics, defaults: to which table each belongs. */
const partsStatement = sql(
  "schema.parts",
  `select p.class::int as "classId", p.oid, n.nspname::text as schema, r.relname::text as name, r.relkind = 'p' as partitioned,
          p.name as "ownName", p.detail, p.index::oid as index, p.validated, p.pages
     from (
       select ${CLASS.constraint} as class, c.oid, c.conrelid as relid, c.conname::text as name, c.contype::text as detail, c.conindid as index, c.convalidated as validated,
              coalesce(x.relpages, 0) as pages
         from pg_catalog.pg_constraint c left join pg_catalog.pg_class x on x.oid = c.conindid and c.contype <> 'f'
       union all
       select ${CLASS.relation}, i.indexrelid, i.indrelid, x.relname::text,
              case when i.indisexclusion then 'exclusion' when i.indisunique then 'unique' else 'index' end, i.indexrelid, i.indisvalid, x.relpages
         from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
       union all select ${CLASS.trigger}, t.oid, t.tgrelid, t.tgname::text, 'trigger', 0, true, 0 from pg_catalog.pg_trigger t where not t.tgisinternal
       union all select ${CLASS.rule}, w.oid, w.ev_class, w.rulename::text, 'rule', 0, true, 0 from pg_catalog.pg_rewrite w
       union all select ${CLASS.policy}, o.oid, o.polrelid, o.polname::text, 'policy', 0, true, 0 from pg_catalog.pg_policy o
       union all select ${CLASS.statistics}, s.oid, s.stxrelid, s.stxname::text, 'statistics', 0, true, 0 from pg_catalog.pg_statistic_ext s
       union all select ${CLASS.default}, d.oid, d.adrelid, '', 'default', 0, true, 0 from pg_catalog.pg_attrdef d
     ) p
     join pg_catalog.pg_class r on r.oid = p.relid
     join pg_catalog.pg_namespace n on n.oid = r.relnamespace
    where ${users}`,
);

const indexesStatement = sql(
  "schema.indexes",
  `select x.oid, n.nspname::text as schema, x.relname::text as name, i.indrelid as "tableOid", coalesce(h.inhparent, 0)::oid as parent,
          i.indisprimary and not i.indisexclusion as "rootKey", i.indisunique as unique,
          array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.indkey::int2[])) as columns
     from pg_catalog.pg_index i
     join pg_catalog.pg_class x on x.oid = i.indexrelid
     join pg_catalog.pg_namespace n on n.oid = x.relnamespace
     left join pg_catalog.pg_inherits h on h.inhrelid = x.oid
    where ${users}`,
);

const extensionCommentsStatement = sql(
  "schema.extension-comments",
  "select oid, extname::text as name, pg_catalog.obj_description(oid, 'pg_extension') as comment from pg_catalog.pg_extension",
);

const keylessStatement = sql(
  "schema.keyless",
  `select n.nspname::text as schema, r.relname::text as name
     from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace
    where r.relkind in ('r', 'p') and not r.relispartition and r.relpersistence <> 't' and ${users} and n.nspname <> 'bucardo'
      and not exists (select from pg_catalog.pg_index i where i.indrelid = r.oid and i.indisprimary and not i.indisexclusion)`,
);
