import { deltaTable } from "../capture/name.ts";
import { waits } from "../capture/waits.ts";
import { quoteIdent, quoteLiteral, quoteName } from "../postgres/quote.ts";
import { keyInSource, type TableLink } from "./table-link.ts";
import type { TablePlan } from "./plan.ts";

/**
 * The rows of a plan as COPY gives them: `gone`, then the columns. A pending key whose row is not there any more comes as gone with nothing
 * but the key. `as` gives the values another form. Sorted by key, so that the target's index is walked in order and two syncs lock rows in the same order.
 */
export function fetchText(plan: TablePlan, link: TableLink, as: (value: string) => string = (value) => value, commitTimes = false): string {
  const told = link.relays.length > 0;
  if (plan.action === "recopy") {
    const stamps = told ? ["null::timestamptz", "null::text[]"] : [];
    return wholeText(link, ["false", ...link.columns.map((column) => as(ofTable(column))), ...stamps]);
  }
  const keys = keyNames(link);
  const { columns, join } = lookedUp(link, as);
  return `copy (
  select t.tableoid is null, ${columns}${told ? ", d.at, d.via" : ""}
    from (${told ? newestOf(keys, pendingKeys(plan, link, { commitTimes })) : `select distinct ${keys.join(", ")} from (${pendingKeys(plan, link)}) x`}) d
    ${join}
   order by ${keys.map((key) => `d.${key}`).join(", ")}
) to stdout${copyFormat(link)}`;
}

/** The rows of some keys as a stage takes them that has stamps. */
export function keysText(link: TableLink, keys: string): string {
  const { columns, join } = lookedUp(link);
  return `copy (
  select t.tableoid is null, ${columns}, null::timestamptz, null::text[]
    from (${keys}) d (${keyNames(link).join(", ")}) ${join}
) to stdout${copyFormat(link)}`;
}

/** The columns of the rows whose keys `d` has, and the join that finds them; of one that is not there any more the key. */
function lookedUp(link: TableLink, as: (value: string) => string = (value) => value): { readonly columns: string; readonly join: string } {
  const columns = link.columns.map((column) =>
    as(column.keyPosition === null ? ofTable(column) : `coalesce(${ofTable(column)}, d.k${column.keyPosition + 1})`),
  );
  return { columns: columns.join(", "), join: `left ${joinByKey(link)}` };
}

/** Finds the rows whose keys `d` has. */
export function joinByKey(link: TableLink): string {
  const keyOf = keyInSource(link);
  const on = link.source.key.map((column, index) => `${keyOf[index]} ${column.equals} d.k${index + 1}`);
  return `join ${link.source.from} on ${on.join(" and ")}`;
}

/** Of the keys in delta tables, and wherever they travel. */
export function keyNames(link: TableLink): string[] {
  return link.source.key.map((_, index) => `k${index + 1}`);
}

/** Each key once, with the stamps of its last change. */
export function newestOf(keys: readonly string[], pending: string): string {
  return `select distinct on (${keys.join(", ")}) ${keys.join(", ")}, at, via from (${pending}) x order by ${keys.join(", ")}, at desc nulls last`;
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
export function pendingKeys(plan: TablePlan, link: TableLink, stamps: { readonly commitTimes: boolean } | null = null): string {
  const { captured, cutoff, except } = plan.table;
  const keys = keyNames(link).join(", ");
  const stamped = stamps === null ? "" : `, ${except === null ? NO_STAMPS : stampsText(stamps.commitTimes)}`;
  const unstamped = stamps === null ? "" : `, ${NO_STAMPS}`;
  const deltas = plan.table.generations.map(
    (generation) =>
      `select ${keys}${stamped} from ${quoteName(deltaTable(captured, generation))} where ${waits("xid", cutoff)}${notVia(except)}`,
  );
  const columns = link.source.key.map((column) => quoteIdent(column.name)).join(", ");
  const joined = plan.joined.map((leaf) => `select ${columns}${unstamped} from only ${leaf.name}`);
  const others = [...joined, ...replays(plan, link, unstamped)];
  return [...(deltas.length === 0 ? [noKeys(link, unstamped)] : deltas), ...others].join(" union all ");
}

const NO_STAMPS = "null::timestamptz as at, null::text[] as via";

/** What an application wrote here has the time of its commit where the server keeps it; what passed other databases has the time of its first one. */
export function stampsText(commitTimes: boolean): string {
  const at = commitTimes
    ? "case when via is null then coalesce(pg_xact_commit_timestamp(((xid % 4294967296)::text)::xid), at) else at end"
    : "at";
  return `${at} as at, via`;
}

/** A change is never sent to a database that it has passed. */
export function notVia(target: string | null): string {
  return target === null ? "" : ` and (via is null or not via @> array[${quoteLiteral(target)}])`;
}

/** Nothing waits, and yet the others need their columns named. */
function noKeys(link: TableLink, stamps: string): string {
  const keys = link.source.key.map((column, index) => `${quoteIdent(column.name)}${column.cast} as k${index + 1}`);
  return `select ${keys.join(", ")}${stamps} from only ${quoteName(link.name)} where false`;
}

function replays({ table }: TablePlan, link: TableLink, stamps: string): string[] {
  const key = link.source.key.map((column, index) => `a.key[${index + 1}]::${column.type}`).join(", ");
  return table.replays.length === 0 ? [] : [`select ${key}${stamps} from bucardo.set_aside a where a.id in (${table.replays.join(", ")})`];
}

export function copyFormat(link: TableLink): string {
  return link.binary ? " (format binary)" : "";
}
