import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { captureVersion } from "./schema.ts";

/** One thing of ours on a source. `on`: the user's table that it stands on, null for what stands alone in schema bucardo. */
export type CaptureObject = {
  readonly kind: "schema" | "table" | "function" | "trigger" | "role";
  readonly name: string;
  readonly on: string | null;
};

/** Everything installed, to be listed, checked and removed. Empty where nothing is. */
export async function inspectCapture(source: Session): Promise<CaptureObject[]> {
  return source.query<CaptureObject>(
    sql(
      "capture.inspect",
      `select 'schema' as kind, n.nspname::text as name, null::text as on from pg_namespace n where n.nspname = 'bucardo'
       union all
       select 'table', format('bucardo.%I', c.relname), null from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'bucardo' and c.relkind in ('r', 'v', 'S')
       union all
       select 'function', format('bucardo.%I', p.proname), null from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'bucardo'
       union all
       select 'trigger', t.tgname::text, format('%s.%s', n.nspname, c.relname)
         from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
         join pg_proc p on p.oid = t.tgfoid join pg_namespace pn on pn.oid = p.pronamespace
        where pn.nspname = 'bucardo' and not t.tgisinternal
       union all
       select 'role', r.rolname::text, null from pg_roles r where r.rolname = 'bucardo_capture'
       order by 1, 2, 3`,
    ),
  );
}

/** A table of a sync as capture stands: for `validate`, `list` and `inspect`. */
export type CapturedTable = {
  readonly relation: number;
  readonly table: string;
  readonly key: readonly string[];
  readonly variant: string;
  readonly notify: boolean;
  readonly generations: number;
  /** Bytes on disk of its delta tables. */
  readonly bytes: number;
  readonly syncs: readonly string[];
};

export async function capturedTables(source: Session): Promise<CapturedTable[]> {
  if ((await captureVersion(source)) === 0) return [];
  type Row = {
    relation: number;
    schema: string;
    name: string;
    key: string[];
    variant: string;
    notify: boolean;
    generations: number;
    bytes: number;
    syncs: string[];
  };
  const rows = await source.query<Row>(
    sql(
      "capture.tables",
      `select t.relation, t.schema_name as schema, t.table_name as name, t.key_columns as key, t.variant, t.notify,
              (select count(*)::int from bucardo.generation g where g.captured_table = t.id) as generations,
              (select coalesce(sum(pg_total_relation_size(to_regclass(format('bucardo.delta_%s_%s', t.id, g.generation)))), 0)::bigint
                 from bucardo.generation g where g.captured_table = t.id) as bytes,
              array(select distinct c.sync_name from bucardo.subscription s join bucardo.checkpoint c using (sync, target)
                     where s.captured_table = t.id order by 1) as syncs
         from bucardo.captured_table t order by 2, 3`,
    ),
  );
  return rows.map(({ schema, name, ...rest }) => ({ ...rest, table: displayName({ schema, name }) }));
}
