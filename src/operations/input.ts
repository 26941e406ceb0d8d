import { z } from "zod";
import { parseSwitch } from "../config/value-types.ts";

/** What the command line and the help must know of a field, beyond its type. Kept in zod's registry of our own. */
export type Field = {
  readonly about: string;
  /** Other names of the key, as versions 4 and 5 had them. */
  readonly aliases?: readonly string[];
  /** Short options: `n` for `-n`. */
  readonly short?: string;
  /** Placeholder in the help: `NAME`. */
  readonly value?: string;
  /** `--key` alone means true. */
  readonly flag?: boolean;
  /** May be repeated; values are joined as a list. */
  readonly list?: boolean;
  /** Takes the words after the command's name; at most one field of an operation. */
  readonly words?: { readonly min: number; readonly max: number };
  /** Only on the command line: names a file, a command or a server, or answers a question that a person is to answer. HTTP refuses it. */
  readonly local?: boolean;
  /** A setting of an older version: accepted, kept and listed, without meaning here. */
  readonly legacy?: boolean;
};

export const fields = z.registry<Field>();

/** Declares a key: `key=value`, `key:value`, `--key value`, `--key=value`. */
export function key<Schema extends z.ZodType>(schema: Schema, field: Field): Schema {
  // A clone, so that the same schema can be used for several keys.
  const own = schema.clone();
  fields.add(own, field);
  return own;
}

/** Declares the words that follow the command's name. `min` and `max` count words as typed, before commas are split. */
export function words(field: Omit<Field, "words" | "aliases"> & { readonly min?: number; readonly max?: number }) {
  const { min = 0, max = Number.POSITIVE_INFINITY, ...rest } = field;
  return key(z.array(z.string()).default([]), { ...rest, words: { min, max } });
}

/** 1/0, t/f, true/false, on/off, yes/no. */
export const bool = z.union([z.boolean(), z.string()], "must be on or off").transform((value, context) => {
  const switched = typeof value === "boolean" ? value : parseSwitch(value);
  if (switched !== null) return switched;
  context.addIssue({ code: "custom", message: `must be on or off (also 1/0, true/false, yes/no), not "${value}"` });
  return z.NEVER;
});

/** A whole number within bounds, given as a number or as text. */
export function integer(min: number, max: number) {
  return z.union([z.number(), z.string()]).transform((value, context) => {
    const number = typeof value === "number" ? value : /^[+-]?\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
    if (Number.isInteger(number) && number >= min && number <= max) return number;
    context.addIssue({ code: "custom", message: `must be a whole number from ${min} to ${max}, not "${value}"` });
    return z.NEVER;
  });
}

export const port = integer(1, 65535);

/** A comma list, or an array. Blanks around items and empty items are dropped. */
export const list = z.union([z.array(z.string()), z.string()]).transform((value) => splitList(value));

export function splitList(value: string | readonly string[]): string[] {
  const items = typeof value === "string" ? [value] : value;
  return items
    .flatMap((item) => item.split(","))
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** A piece of text that is not empty. */
export const text = z.string().min(1, "must not be empty");

/** `active` or `inactive`. */
export const status = z
  .string()
  .transform((value) => value.toLowerCase())
  .pipe(z.enum(["active", "inactive"], "must be active or inactive"));
