import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** The state of a part of a table at a snapshot: enough to see that it was rewritten, truncated, attached or detached since. */
export type LeafState = {
  readonly oid: number;
  /** Qualified and quoted. */
  readonly name: string;
  readonly filenode: number;
  /** Changes with every change of a column, not with VACUUM FULL. */
  readonly attributes: string;
  /** Columns that rows older than the column take from the catalog, each with the fingerprint of that value: it came without a rewrite. */
  readonly stored: readonly string[];
  /** Condition of a partition; null for a table that is none. */
  readonly bound: string | null;
};

export type Shape = {
  /** Qualified and quoted: what the target calls by this name may be another table than before. */
  readonly name: string;
  /** Fingerprint of the columns that rows are made of. */
  readonly columns: string;
  /** The columns of the table itself: name, number, and the transaction that last touched what the catalog says of it. */
  readonly marks: readonly (readonly [name: string, number: number, touched: string])[];
  /** Of our triggers on every part, branches and root too: changes when one was dropped, made again, disabled or enabled, however short that was. */
  readonly triggers: readonly { readonly oid: number; readonly print: string }[];
  readonly leaves: readonly LeafState[];
  /** Under what other name, with what columns and rows it was carried (model/terms.ts, termsText); absent: as it is. */
  readonly terms?: string;
};

export type TableState = {
  readonly shape: Shape;
  /** Parts, branches too, that lack one of our triggers or where somebody disabled it. */
  readonly uncaptured: readonly number[];
};

/**
 * The shapes of tables as the transaction's snapshot sees them, by OID: one statement, no lock on any table (bounds of partitions
 * apart). A partitioned table without partitions has a shape without leaves.
 */
export async function readShapes(source: Session, tables: readonly number[]): Promise<Map<number, TableState>> {
  const stored =
    source.serverVersion >= 110000
      ? `coalesce(json_agg(format('%s %s', a.attname, md5(a.attmissingval::text)) order by a.attnum) filter (where a.atthasmissing), '[]')`
      : "'[]'::json";
  const rows = await source.query<Shape & { root: number; uncaptured: number[] }>(
    sql(
      "replicate.shapes",
      `with recursive member (root, oid) as (
         select t, t from unnest($1::oid[]) t
         union all
         select m.root, i.inhrelid from member m join pg_class c on c.oid = m.oid and c.relkind = 'p' join pg_inherits i on i.inhparent = m.oid and not ${detachPending(source, "i")}
       ),
       print (oid, columns, marks, attributes, stored) as (
         select a.attrelid,
                md5(string_agg(format('%s %I %s %s %s %s', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull), ',' order by a.attnum)),
                json_agg(json_build_array(a.attname, a.attnum, a.xmin::text) order by a.attnum),
                md5(string_agg(format('%s %s', a.attnum, a.xmin), ',' order by a.attnum)),
                ${stored}
           from pg_attribute a
          where a.attrelid in (select oid from member) and a.attnum > 0 and not a.attisdropped
          group by a.attrelid
       ),
       part as (
         select m.root, c.oid, n.nspname, c.relname, c.relkind, c.relfilenode, c.relispartition, g.print,
                g.awake >= case when k.variant = 'statement' then 5 when k.variant = 'tree' then 4 when c.relkind = 'p' then 1 else 2 end
                           + case when k.variant <> 'statement' and c.oid = m.root then 1 else 0 end
                  -- what became a partition or child is changed by statements that name its parent
                  and (k.variant = 'row' or c.oid <> m.root or not exists (select from pg_inherits i where i.inhrelid = c.oid))
                  -- a key that may change without being named needs the trigger that always looks
                  and not (k.variant = 'statement' and g.named and exists (select from pg_trigger b where b.tgrelid = c.oid and ${changesRows("b")})) as captured
           from member m
           join bucardo.captured_table k on k.relation = m.root
           join pg_class c on c.oid = m.oid
           join pg_namespace n on n.oid = c.relnamespace
          cross join lateral (
            select count(*) filter (where t.tgenabled in ('O', 'A')) as awake,
                   bool_or(t.tgattr::text <> '' and f.proname like '%\\_key') as named,
                   md5(string_agg(format('%s %s', t.oid, t.xmin), ',' order by t.oid)) as print
              from pg_trigger t join pg_proc f on f.oid = t.tgfoid
             where t.tgrelid = c.oid and f.pronamespace = 'bucardo'::regnamespace and f.proname like 'capture\\_' || k.id || '\\_%') g
       )
       select x.root, r.columns, r.marks::jsonb as marks, max(format('%I.%I', x.nspname, x.relname)) filter (where x.oid = x.root) as name,
              coalesce(json_agg(json_build_object(
                'oid', x.oid::bigint, 'name', format('%I.%I', x.nspname, x.relname), 'filenode', x.relfilenode::bigint, 'attributes', p.attributes, 'stored', p.stored,
                'bound', case when x.relispartition then pg_get_partition_constraintdef(x.oid) end)
                order by x.oid) filter (where x.relkind <> 'p'), '[]') as leaves,
              json_agg(json_build_object('oid', x.oid::bigint, 'print', x.print) order by x.oid) as triggers,
              coalesce(json_agg(x.oid::bigint) filter (where not x.captured), '[]') as uncaptured
         from part x
         join print p on p.oid = x.oid
         join print r on r.oid = x.root
        group by x.root, r.columns, r.marks::jsonb`,
      [tables],
    ),
  );
  return new Map(
    rows.map(({ root, name, columns, marks, triggers, leaves, uncaptured }) => [
      root,
      { shape: { name, columns, marks, triggers, leaves }, uncaptured },
    ]),
  );
}

/** A trigger that may change what an UPDATE writes: BEFORE it, FOR EACH ROW. As SQL over a row of pg_trigger. */
export function changesRows(trigger: string): string {
  return `not ${trigger}.tgisinternal and ${trigger}.tgtype & 19 = 19`;
}

/** A partition whose DETACH CONCURRENTLY is under way, or was broken off, is not read through its root any more. */
export function detachPending(source: Session, inherits: string): string {
  return source.serverVersion >= 140000 ? `${inherits}.inhdetachpending` : "false";
}

/** Same name, columns, parts, files, triggers and terms. Not by JSON text as it comes: jsonb gives the fields of what was stored back in an order of its own. */
export function sameShape(one: Shape | null, other: Shape): boolean {
  return one !== null && inOrder(one) === inOrder(other);
}

function inOrder({ name: table, columns, marks, triggers, leaves, terms }: Shape): string {
  return JSON.stringify([
    table,
    columns,
    marks,
    triggers.map(({ oid, print }) => [oid, print]),
    leaves.map(({ oid, name, filenode, attributes, stored, bound }) => [oid, name, filenode, attributes, stored, bound]),
    terms ?? "",
  ]);
}
