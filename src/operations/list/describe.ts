import type { Io } from "../io.ts";

/** `-vv`: every field of a row, one a line; nested values as JSON, `-` for nothing. */
export function allColumns(row: object): string[] {
  const entries = Object.entries(row).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `    ${name.padEnd(width)} = ${shown(value)}`);
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Prints rows, or why there are none: nothing registered yet, or nothing that fits the filter. */
export function printRows<T>(io: Io, rows: readonly T[], empty: string, linesOf: (row: T) => readonly string[]): void {
  if (rows.length === 0) io.out(empty);
  for (const row of rows) for (const line of linesOf(row)) io.out(line);
}

/** `No databases have been added yet` or `No matching databases found`. */
export function emptyText(plural: string, filtered: boolean): string {
  return filtered ? `No matching ${plural} found` : `No ${plural} have been added yet`;
}
