import { fields, type Field } from "./input.ts";
import type { z } from "zod";
import type { Operation } from "./operation.ts";

/** A field of an operation's input, with the name it has in the input. */
export type NamedField = Field & { readonly name: string };

/** The keys an operation takes, in the order of their declaration. */
export function keysOf(operation: Operation): NamedField[] {
  return allFields(operation).filter((field) => field.words === undefined);
}

/** The field that takes the words after the name; null when the operation takes none. */
export function wordsOf(operation: Operation): NamedField | null {
  return allFields(operation).find((field) => field.words !== undefined) ?? null;
}

/** The key that a typed name stands for: its name or an alias, whatever its case, dashes and underscores. */
export function findKey(operation: Operation, typed: string): NamedField | null {
  const wanted = squash(typed);
  return keysOf(operation).find((field) => [field.name, ...(field.aliases ?? [])].some((name) => squash(name) === wanted)) ?? null;
}

/** Every name of the input, words too. */
export function namesOf(operation: Operation): string[] {
  return Object.keys(operation.input.shape);
}

/** The field of just this name. */
export function findKeyExactly(operation: Operation, name: string): NamedField | null {
  return allFields(operation).find((field) => field.name === name) ?? null;
}

/** Dashes, underscores and case do not count in names of keys and options. */
export function squash(name: string): string {
  return name.replace(/[-_]/g, "").toLowerCase();
}

function allFields(operation: Operation): NamedField[] {
  return Object.entries(operation.input.shape).map(([name, schema]) => {
    const field = fields.get(schema as z.ZodType);
    if (field === undefined)
      throw new Error(`broken invariant: field ${name} of ${operation.name.join(" ")} was not made with key() or words()`);
    return { ...field, name };
  });
}
