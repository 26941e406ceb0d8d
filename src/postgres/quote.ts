import { invariant } from "../base/invariant.ts";
import type { QualifiedName } from "../model/name.ts";

/** An identifier, always quoted. */
export function quoteIdent(name: string): string {
  invariant(name !== "" && !name.includes("\0"), "an identifier is neither empty nor holds NUL");
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string constant for sessions with standard_conforming_strings on, which ours are; null becomes NULL. */
export function quoteLiteral(text: string | null): string {
  if (text === null) return "NULL";
  invariant(!text.includes("\0"), "a string constant holds no NUL");
  return `'${text.replaceAll("'", "''")}'`;
}

/** `"schema"."name"`. */
export function quoteName(of: QualifiedName): string {
  return `${quoteIdent(of.schema)}.${quoteIdent(of.name)}`;
}
