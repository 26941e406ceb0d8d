import type { KeyColumn } from "../capture/key-column.ts";
import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";

/** Half-open: lower <= key < upper. Null: open, so that the first and the last piece together leave nothing out (hazard 23). Values as text. */
export type KeyRange = { readonly lower: readonly string[] | null; readonly upper: readonly string[] | null };

const EQUALS = /^operator\((.+)\.=\)$/;

/** False for a key whose order cannot be written down: its type's equality is not called `=`. */
export function canRange(key: readonly KeyColumn[]): boolean {
  return key.every((column) => EQUALS.test(column.equals));
}

/** `where ..` for the keys of a range, with the alias t; empty for the range of everything. In the order of the source's index, collations included. */
export function rangeText(key: readonly KeyColumn[], { lower, upper }: KeyRange): string {
  const conditions = [
    ...(lower === null ? [] : [compareText(key, ">=", lower)]),
    ...(upper === null ? [] : [compareText(key, "<", upper)]),
  ];
  return conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
}

export function keyValue(column: KeyColumn): string {
  return `t.${quoteIdent(column.name)}${column.cast}`;
}

/**
 * A comparison of rows serves an index over all columns, but has one operator for all: of types whose operators live in different schemas it is
 * spelled out, and the first column then serves the index alone.
 */
function compareText(key: readonly KeyColumn[], operator: ">=" | "<", values: readonly string[]): string {
  const schemas = key.map((column) => EQUALS.exec(column.equals)![1]!);
  const literals = key.map((column, index) => `${quoteLiteral(values[index]!)}::${column.type}`);
  if (new Set(schemas).size === 1) {
    const symbol = `operator(${schemas[0]}.${operator})`;
    return key.length === 1
      ? `${keyValue(key[0]!)} ${symbol} ${literals[0]}`
      : `(${key.map(keyValue).join(", ")}) ${symbol} (${literals.join(", ")})`;
  }
  const strict = operator === ">=" ? ">" : "<";
  const term = (index: number): string => {
    const column = key[index]!;
    const compare = (symbol: string) => `${keyValue(column)} operator(${schemas[index]}.${symbol}) ${literals[index]}`;
    if (index === key.length - 1) return compare(operator);
    return `(${compare(strict)} or (${keyValue(column)} ${column.equals} ${literals[index]} and ${term(index + 1)}))`;
  };
  const wide = operator === ">=" ? ">=" : "<=";
  return `${keyValue(key[0]!)} operator(${schemas[0]}.${wide}) ${literals[0]} and ${term(0)}`;
}
