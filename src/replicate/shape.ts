import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { LeafState, Shape } from "./definition.ts";

export type TableState = { readonly shape: Shape; readonly uncaptured: readonly number[] };

/**
 * The shapes of tables as the transaction's snapshot sees them, by OID: one statement, no lock on any table (bounds of partitions
 * apart). `uncaptured`: parts that lack one of our triggers, or where somebody disabled it.
 */
export async function readShapes(source: Session, tables: readonly number[]): Promise<Map<number, TableState>> {
  type Row = {
    root: number;
    columns: string;
    leaves: { oid: number; name: string; filenode: number; attributes: string; bound: string | null; captured: boolean }[];
  };
  const rows = await source.query<Row>(
    sql(
      "replicate.shapes",
      `with recursive member (root, oid) as (
         select t, t from unnest($1::oid[]) t
         union all
         select m.root, i.inhrelid from member m join pg_class c on c.oid = m.oid and c.relkind = 'p' join pg_inherits i on i.inhparent = m.oid
       ),
       print (oid, columns, attributes) as (
         select a.attrelid,
                md5(string_agg(format('%s %I %s %s %s', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation), ',' order by a.attnum)),
                md5(string_agg(format('%s %s', a.attnum, a.xmin), ',' order by a.attnum))
           from pg_attribute a
          where a.attrelid in (select oid from member) and a.attnum > 0 and not a.attisdropped
          group by a.attrelid
       )
       select m.root, r.columns,
              json_agg(json_build_object(
                'oid', c.oid::bigint, 'name', format('%I.%I', n.nspname, c.relname), 'filenode', c.relfilenode::bigint, 'attributes', p.attributes,
                'bound', case when c.relispartition then pg_get_partition_constraintdef(c.oid) end,
                'captured', (select count(*) from pg_trigger t join pg_proc f on f.oid = t.tgfoid
                              where t.tgrelid = c.oid and f.pronamespace = 'bucardo'::regnamespace and t.tgenabled <> 'D')
                            >= case k.variant when 'statement' then 5 when 'tree' then 4 else 2 end)
                order by c.oid) as leaves
         from member m
         join pg_class c on c.oid = m.oid and c.relkind <> 'p'
         join pg_namespace n on n.oid = c.relnamespace
         join print p on p.oid = c.oid
         join print r on r.oid = m.root
         join bucardo.captured_table k on k.relation = m.root
        group by m.root, r.columns`,
      [tables],
    ),
  );
  return new Map(
    rows.map(({ root, columns, leaves }) => [
      root,
      {
        shape: {
          columns,
          leaves: leaves.map(({ oid, name, filenode, attributes, bound }) => ({ oid, name, filenode, attributes, bound })),
        },
        uncaptured: leaves.filter((leaf) => !leaf.captured).map((leaf) => leaf.oid),
      },
    ]),
  );
}

/** Same columns, parts and files. Not by JSON text: jsonb gives the fields of what was stored back in an order of its own. */
export function sameShape(one: Shape | null, other: Shape): boolean {
  return (
    one !== null &&
    one.columns === other.columns &&
    one.leaves.length === other.leaves.length &&
    one.leaves.every((leaf, index) => LEAF_FIELDS.every((field) => leaf[field] === other.leaves[index]![field]))
  );
}

const LEAF_FIELDS = ["oid", "name", "filenode", "attributes", "bound"] as const satisfies readonly (keyof LeafState)[];
