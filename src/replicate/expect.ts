import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { TablePlan } from "./plan.ts";

/**
 * About how many rows will travel, for progress only: the deltas of tables whose keys travel, and for whole tables what the planner would
 * think of their size. Null when it knows nothing of one of them (never analyzed).
 */
export async function expectedRows(source: Session, plans: readonly TablePlan[]): Promise<number | null> {
  const deltas = plans.reduce((sum, plan) => sum + (plan.action === "recopy" ? 0 : plan.table.deltas), 0);
  const whole = plans.filter((plan) => plan.action === "recopy").map((plan) => plan.table.oid);
  if (whole.length === 0) return deltas;
  const { rows, unknown } = await source.one<{ rows: number; unknown: boolean }>(
    sql(
      "replicate.expected-rows",
      `with recursive part (oid) as (
         select o from unnest($1::oid[]) o
         union all
         select i.inhrelid from part p join pg_class c on c.oid = p.oid and c.relkind = 'p' join pg_inherits i on i.inhparent = p.oid
       ), leaf as (
         select c.reltuples, c.relpages, pg_relation_size(c.oid) / current_setting('block_size')::integer as pages
           from part p join pg_class c on c.oid = p.oid and c.relkind <> 'p'
       )
       select coalesce(sum(reltuples / relpages * pages) filter (where relpages > 0 and reltuples > 0), 0)::float8 as rows,
              coalesce(bool_or(pages > 0 and (relpages = 0 or reltuples <= 0)), false) as unknown
         from leaf`,
      [whole],
    ),
  );
  return unknown ? null : deltas + Math.round(rows);
}
