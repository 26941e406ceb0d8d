import type { PerlRow } from "../../model/perl.ts";

/** One command of this program. */
export type ImportStep = {
  readonly name: readonly string[];
  readonly words: readonly string[];
  readonly keys: Readonly<Record<string, string>>;
  /** Keys whose values nobody shall see. */
  readonly secrets?: readonly string[];
};

/** Something that is not carried, or carried as something else. */
export type ImportNote = { readonly what: string; readonly remedy: string };

export type ImportPlan = { readonly steps: readonly ImportStep[]; readonly notes: readonly ImportNote[] };

/** As it could be typed. */
export function spellStep({ name, words, keys, secrets = [] }: ImportStep): string {
  const pairs = Object.entries(keys).map(([key, value]) => `${key}=${secrets.includes(key) ? "(not shown)" : quoted(value)}`);
  return [...name, ...words.map(quoted), ...pairs].join(" ");
}

function quoted(word: string): string {
  return /^[\w.,:=@%+/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function text(row: PerlRow, column: string): string | null {
  const value = row[column];
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Null: not set, or no such column in that release. */
export function flag(row: PerlRow, column: string): boolean | null {
  const value = row[column];
  return typeof value === "boolean" ? value : null;
}
