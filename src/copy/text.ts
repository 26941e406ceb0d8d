import { fromText } from "../catalog/terms.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Part } from "./hold.ts";
import { rangeText, type KeyRange } from "./key-range.ts";
import type { CopyLink } from "./link.ts";

/** Rows of one part of the source in a range of its key. COPY of the table itself is faster than of a query, where it is possible. */
export function readText(link: CopyLink, { name, partitioned }: Part, range: KeyRange): string {
  const where = link.keyThere === null ? "" : rangeText(link.keyThere, range);
  if (where === "" && link.readable && !partitioned) return `copy ${quoteName(name)}${columnList(link)} to stdout${format(link)}`;
  const columns = link.columns.map((column) => `t.${quoteIdent(column.name)}`).join(", ");
  const { readings, filter } = link;
  const from = fromText(name, { partitioned, readings, filter, alias: link.name.name });
  return `copy (select ${columns} from ${from}${where}) to stdout${format(link)}`;
}

/** `freeze`: the table was emptied in this very transaction, so its rows can be written as ones that everybody sees, and never again for that. */
export function writeText(link: CopyLink, freeze: boolean): string {
  return `copy ${quoteName(link.there)}${columnList(link)} from stdin${format(link, freeze)}`;
}

export const STAGE = "pg_temp.bucardo_copy";

export function createStageText(link: CopyLink): string {
  return `create temp table bucardo_copy (${link.columns.map((column, index) => `c${index + 1} ${column.stageType}`).join(", ")}) on commit drop`;
}

export function writeStageText(link: CopyLink): string {
  return `copy ${STAGE} from stdin${format(link)}`;
}

/**
 * From the stage into the table. A row that a unique index keeps out is the same row in an older or a newer state: either way the change between
 * the two is among the deltas, and the run that follows the copy puts it right (hazard 12).
 */
export function insertText(link: CopyLink, conflicts: boolean): string {
  const values = link.columns.map((_, index) => `s.c${index + 1}`).join(", ");
  return `insert into ${quoteName(link.there)}${columnList(link)} overriding system value select ${values} from ${STAGE} s${conflicts ? " on conflict do nothing" : ""}`;
}

/** Rows of the stage that are in the table already, by key: equality only, because another server may order keys otherwise. */
export function deleteStagedText(link: CopyLink): string {
  const same = (link.keyThere ?? []).map((column) => {
    const position = link.columns.findIndex(({ name }) => name === column.name) + 1;
    return `t.${quoteIdent(column.name)}${column.cast} ${column.equals} s.c${position}`;
  });
  return `delete from ${quoteName(link.there)} t using ${STAGE} s where ${same.join(" and ")}`;
}

function columnList(link: CopyLink): string {
  return link.columns.length === 0 ? "" : ` (${link.columns.map((column) => quoteIdent(column.name)).join(", ")})`;
}

function format(link: CopyLink, freeze = false): string {
  const options = [...(link.binary ? ["format binary"] : []), ...(freeze ? ["freeze"] : [])];
  return options.length === 0 ? "" : ` (${options.join(", ")})`;
}
