import type { SinkSequence, SinkTable } from "../replicate/sink.ts";

/** What stands in the first lines of a file. */
export type FileTitle = { readonly sync: string; readonly source: string; readonly number: number; readonly written: Date };

/** The fields of a row as text; null is NULL. */
export type Fields = readonly (string | null)[];

/** How changes are written: texts that follow one another in a file, each with its last newline. */
export type FileFormat = {
  /** PostgreSQL reads it. */
  readonly postgres: boolean;
  begin(title: FileTitle): string;
  readonly end: string;
  deleteAll(table: SinkTable): string;
  /** Only where `postgres`. */
  deleteWhere(table: SinkTable, conditions: readonly string[]): string;
  /** Not for many keys at once. */
  deleteKeys(table: SinkTable, keys: readonly Fields[]): string;
  rows(table: SinkTable): RowFormat;
  setSequence(sequence: SinkSequence): string;
};

/** `row` null: the rows as COPY gives them. Nothing of it is written for no rows. */
export type RowFormat = { readonly before: string; readonly row: ((fields: Fields) => string) | null; readonly after: string };

export function titleText(kind: string, { sync, source, number, written }: FileTitle): string {
  return `-- bucardo ${kind}: sync ${sync}, number ${number}, from ${source}, ${written.toISOString()}`;
}
