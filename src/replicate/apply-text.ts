import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { TableLink } from "./table-link.ts";

/** Rows of parts that left the table or were truncated: `gone` holds conditions over the table's columns. */
export function deletePartsText(link: TableLink, gone: readonly string[]): string {
  return `delete from ${target(link)} where ${gone.map((condition) => `(${condition})`).join(" or ")}`;
}

export function deleteAllText(link: TableLink): string {
  return `delete from ${target(link)}`;
}

/** Keys that the source does not have any more. */
export function deleteGoneText(link: TableLink, stage: string): string {
  return `delete from ${target(link)} t using ${stage} s where s.gone and ${sameKey(link)}`;
}

/** Every pending key, whether the source has it or not. */
export function deleteStagedText(link: TableLink, stage: string): string {
  return `delete from ${target(link)} t using ${stage} s where ${sameKey(link)}`;
}

/** What the source does not have: for a table whose whole content is on the stage, where emptying it first would cascade. */
export function deleteOthersText(link: TableLink, stage: string): string {
  return `delete from ${target(link)} t where not exists (select from ${stage} s where not s.gone and ${sameKey(link)})`;
}

/** Identity columns keep the source's values; column lists are always explicit. The alias is for a table called excluded. */
export function insertText(link: TableLink, stage: string): string {
  const values = link.columns.flatMap((column, index) => (column.written ? `s.c${index + 1}` : []));
  return `insert into ${quoteName(link.target.name)} as t (${writtenColumns(link)}) overriding system value select ${values.join(", ")} from ${stage} s where not s.gone`;
}

/** All but what the target computes by itself. */
export function writtenColumns(link: TableLink): string {
  return link.columns
    .filter((column) => column.written)
    .map((column) => quoteIdent(column.name))
    .join(", ");
}

export function upsertText(link: TableLink, stage: string): string {
  const key = link.target.key.map((column) => quoteIdent(column.name)).join(", ");
  const set = link.columns
    .filter((column) => column.settable)
    .map((column) => `${quoteIdent(column.name)} = excluded.${quoteIdent(column.name)}`);
  return `${insertText(link, stage)} on conflict (${key}) do ${set.length === 0 ? "nothing" : `update set ${set.join(", ")}`}`;
}

/** `t` is the table, `s` its stage. */
export function sameKey(link: TableLink): string {
  return link.target.key
    .map(
      (column, index) =>
        `t.${quoteIdent(column.name)}${column.cast} ${column.equals} s.c${link.columns.findIndex((each) => each.keyPosition === index) + 1}`,
    )
    .join(" and ");
}

/** A parent of inheritance is replicated without its children. */
function target(link: TableLink): string {
  return `${link.target.partitioned ? "" : "only "}${quoteName(link.target.name)}`;
}
