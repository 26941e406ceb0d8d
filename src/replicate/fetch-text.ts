import { deltaTable } from "../capture/name.ts";
import { waits } from "../capture/waits.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import { keyInSource, type TableLink } from "./table-link.ts";
import type { TablePlan } from "./plan.ts";

/**
 * The rows of a plan as COPY gives them: `gone`, then the columns. A pending key whose row is not there any more comes as gone with nothing
 * but the key. `as` gives the values another form. Sorted by key, so that the target's index is walked in order and two syncs lock rows in the same order.
 */
export function fetchText(plan: TablePlan, link: TableLink, as: (value: string) => string = (value) => value): string {
  if (plan.action === "recopy") return wholeText(link, ["false", ...link.columns.map((column) => as(ofTable(column)))]);
  const keys = link.source.key.map((_, index) => `k${index + 1}`);
  const columns = link.columns.map((column) =>
    as(column.keyPosition === null ? ofTable(column) : `coalesce(${ofTable(column)}, d.k${column.keyPosition + 1})`),
  );
  const keyOf = keyInSource(link);
  const on = link.source.key.map((column, index) => `${keyOf[index]} ${column.equals} d.k${index + 1}`).join(" and ");
  return `copy (
  select t.tableoid is null, ${columns.join(", ")}
    from (select distinct ${keys.join(", ")} from (${pendingKeys(plan, link)}) x) d
    left join ${link.source.from} on ${on}
   order by ${keys.map((key) => `d.${key}`).join(", ")}
) to stdout${copyFormat(link)}`;
}

/** The whole table as the target's takes it: no mark for gone rows, and none of the columns that the target computes. */
export function fillText(link: TableLink): string {
  return wholeText(link, link.columns.filter((column) => column.written).map(ofTable));
}

function wholeText(link: TableLink, columns: readonly string[]): string {
  return `copy (select ${columns.join(", ")} from ${link.source.from}) to stdout${copyFormat(link)}`;
}

function ofTable(column: { readonly name: string }): string {
  return `t.${quoteIdent(column.name)}`;
}

/**
 * All pending keys: of every generation, because a writer may still be in an old trigger function, all of parts that just joined the table, and those that
 * were set aside and are to be tried again.
 */
export function pendingKeys(plan: TablePlan, link: TableLink): string {
  const keys = link.source.key.map((_, index) => `k${index + 1}`).join(", ");
  const deltas = plan.table.generations.map(
    (generation) =>
      `select ${keys} from ${quoteName(deltaTable(plan.table.captured, generation))} where ${waits("xid", plan.table.cutoff)}`,
  );
  const columns = link.source.key.map((column) => quoteIdent(column.name)).join(", ");
  const joined = plan.joined.map((leaf) => `select ${columns} from only ${leaf.name}`);
  return [...(deltas.length === 0 ? [noKeys(link)] : deltas), ...joined, ...replays(plan, link)].join(" union all ");
}

/** Nothing waits, and yet the others need their columns named. */
function noKeys(link: TableLink): string {
  const keys = link.source.key.map((column, index) => `${quoteIdent(column.name)}${column.cast} as k${index + 1}`);
  return `select ${keys.join(", ")} from only ${quoteName(link.name)} where false`;
}

function replays({ table }: TablePlan, link: TableLink): string[] {
  const key = link.source.key.map((column, index) => `a.key[${index + 1}]::${column.type}`).join(", ");
  return table.replays.length === 0 ? [] : [`select ${key} from bucardo.set_aside a where a.id in (${table.replays.join(", ")})`];
}

export function copyFormat(link: TableLink): string {
  return link.binary ? " (format binary)" : "";
}
