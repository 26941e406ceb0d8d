import { quoteIdent, quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { SinkKey, SinkTable } from "../replicate/sink.ts";
import { titleText, type Fields, type FileFormat } from "./format.ts";

/**
 * For psql. Values are read as our sessions write them, whatever the server's settings are; triggers and foreign keys are silent, because a row that is
 * written anew must take nothing with it.
 */
export const flatpg: FileFormat = {
  postgres: true,
  begin: (title) => `${titleText("flatpg", title)}
-- psql -X -f FILE: the files of a sync in the order of their numbers, by a user that may set session_replication_role; one may be read twice.
\\set ON_ERROR_STOP on
set client_min_messages = warning;
set client_encoding = 'UTF8';
set standard_conforming_strings = on;
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set timezone = 'UTC';
set xmloption = content;
set row_security = off;
set session_replication_role = replica;
begin;
`,
  end: "commit;\n",
  deleteAll: (table) => `delete from ${targetOf(table)};\n`,
  deleteWhere: (table, conditions) => `delete from ${targetOf(table)} where ${conditions.map((text) => `(${text})`).join(" or ")};\n`,
  deleteKeys: (table, keys) => `delete from ${targetOf(table)} where ${keyText(table.key, keys)};\n`,
  rows: (table) => ({
    before: `copy ${quoteName(table)} (${table.columns.map(({ name }) => quoteIdent(name)).join(", ")}) from stdin;\n`,
    row: null,
    after: "\\.\n",
  }),
  setSequence: ({ value, called, ...name }) => `select pg_catalog.setval(${quoteLiteral(quoteName(name))}, ${value}, ${called});\n`,
};

function targetOf(table: SinkTable): string {
  return `${table.parent ? "only " : ""}${quoteName(table)}`;
}

function keyText(key: readonly SinkKey[], keys: readonly Fields[]): string {
  const [first, ...more] = key;
  if (first !== undefined && more.length === 0 && isPlain(first))
    return `${quoteIdent(first.name)} in (${keys.map(([value]) => quoteLiteral(value ?? null)).join(", ")})`;
  return keys
    .map((fields) => `(${key.map((column, index) => `${equalText(column)} ${valueText(column, fields[index] ?? null)}`).join(" and ")})`)
    .join(" or ");
}

/** The operator by its name, because that of an extension's type is found only by the search_path of whoever reads the file. */
function equalText({ name, own }: SinkKey): string {
  return `${quoteIdent(name)}${own.cast} ${own.equals.replace("operator(pg_catalog.=)", "=")}`;
}

function valueText(column: SinkKey, value: string | null): string {
  return `${quoteLiteral(value)}${isPlain(column) ? "" : `::${column.own.type}`}`;
}

/** A constant takes its type by itself. */
function isPlain({ own: { type, equals, cast } }: SinkKey): boolean {
  return type.startsWith("pg_catalog.") && equals === "operator(pg_catalog.=)" && cast === "";
}
