import { unreachable } from "../base/invariant.ts";
import { quoteIdent, quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { SinkColumn, SinkKey, SinkSequence } from "../replicate/sink.ts";
import { titleText, type Fields, type FileFormat } from "./format.ts";

/** Statements of the SQL standard, for whatever understands them. Numbers and booleans stand as such; all else is text as PostgreSQL writes it. */
export const flatsql: FileFormat = {
  postgres: false,
  begin: (title) => `${titleText("flatsql", title)}
-- The files of a sync in the order of their numbers, with foreign keys and triggers off; one may be read twice.
start transaction;
`,
  end: "commit;\n",
  deleteAll: (table) => `delete from ${quoteName(table)};\n`,
  deleteWhere: () => unreachable("conditions are for PostgreSQL" as never),
  deleteKeys: (table, keys) => `delete from ${quoteName(table)} where ${keyText(table.key, keys)};\n`,
  rows(table) {
    const columns = table.columns.map(({ name }) => quoteIdent(name)).join(", ");
    const identity = table.columns.some(({ alwaysIdentity }) => alwaysIdentity) ? " overriding system value" : "";
    const insert = `insert into ${quoteName(table)} (${columns})${identity} values (`;
    return {
      before: "",
      row: (fields) => `${insert}${table.columns.map((column, index) => valueText(column, fields[index] ?? null)).join(", ")});\n`,
      after: "",
    };
  },
  setSequence: (sequence) => `alter sequence ${quoteName(sequence)} restart with ${nextValue(sequence)};\n`,
};

function keyText(key: readonly SinkKey[], keys: readonly Fields[]): string {
  const [first, ...more] = key;
  if (first !== undefined && more.length === 0)
    return `${quoteIdent(first.name)} in (${keys.map(([value]) => valueText(first, value ?? null)).join(", ")})`;
  return keys
    .map(
      (fields) =>
        `(${key.map((column, index) => `${quoteIdent(column.name)} = ${valueText(column, fields[index] ?? null)}`).join(" and ")})`,
    )
    .join(" or ");
}

const NUMBERS = /^(smallint|integer|bigint|numeric(\(.*\))?|real|double precision)$/;
/** Not what is none, as NaN, nor the zero that would lose its sign. */
const NUMBER = /^(?!-0$)-?\d+(\.\d+)?(e[+-]?\d+)?$/;

function valueText({ type }: Pick<SinkColumn, "type">, value: string | null): string {
  if (value === null) return "null";
  if (type === "boolean") return value === "t" ? "true" : "false";
  return NUMBERS.test(type) && NUMBER.test(value) ? value : quoteLiteral(value);
}

/** Of an exhausted one the last number, as there is no other. */
function nextValue({ value, called, shape: { increment, min, max } }: SinkSequence): bigint {
  if (!called) return BigInt(value);
  const next = BigInt(value) + BigInt(increment);
  return next > BigInt(max) || next < BigInt(min) ? BigInt(value) : next;
}
