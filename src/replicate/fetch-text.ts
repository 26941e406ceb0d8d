import { deltaTable } from "../capture/name.ts";
import { waits } from "../capture/waits.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { TableLink } from "./link.ts";
import type { TablePlan } from "./plan.ts";

/**
 * The rows of a plan as COPY gives them: `gone`, then the columns. A pending key whose row is not there any more comes as gone with nothing
 * but the key. Sorted by key, so that the target's index is walked in order and two syncs lock rows in the same order.
 */
export function fetchText(plan: TablePlan, link: TableLink): string {
  const only = link.source.partitioned ? "" : "only ";
  const table = quoteName(link.name);
  const format = copyFormat(link);
  if (plan.action === "recopy") {
    return `copy (select false, ${link.columns.map((column) => `t.${quoteIdent(column.name)}`).join(", ")} from ${only}${table} t) to stdout${format}`;
  }
  const keys = link.source.key.map((_, index) => `k${index + 1}`);
  const columns = link.columns.map((column) =>
    column.keyPosition === null ? `t.${quoteIdent(column.name)}` : `coalesce(t.${quoteIdent(column.name)}, d.k${column.keyPosition + 1})`,
  );
  const on = link.source.key.map((column, index) => `t.${quoteIdent(column.name)}${column.cast} ${column.equals} d.k${index + 1}`).join(" and ");
  return `copy (
  select t.tableoid is null, ${columns.join(", ")}
    from (select distinct ${keys.join(", ")} from (${pendingKeys(plan, link)}) x) d
    left join ${only}${table} t on ${on}
   order by ${keys.map((key) => `d.${key}`).join(", ")}
) to stdout${format}`;
}

/** All pending keys: of every generation, because a writer may still be in an old trigger function, and all of parts that just joined the table. */
function pendingKeys(plan: TablePlan, link: TableLink): string {
  const keys = link.source.key.map((_, index) => `k${index + 1}`).join(", ");
  const deltas = plan.table.generations.map(
    (generation) =>
      `select ${keys} from ${quoteName(deltaTable(plan.table.captured, generation))} where ${waits("xid", plan.table.cutoff)}`,
  );
  const columns = link.source.key.map((column) => quoteIdent(column.name)).join(", ");
  const joined = plan.joined.map((leaf) => `select ${columns} from only ${leaf.name}`);
  return [...deltas, ...joined].join(" union all ");
}

export function copyFormat(link: TableLink): string {
  return link.binary ? " (format binary)" : "";
}
