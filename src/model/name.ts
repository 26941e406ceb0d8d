/** A table or sequence by schema and name, both exactly as in pg_class (no quoting, no folding). */
export type QualifiedName = { readonly schema: string; readonly name: string };

/**
 * `schema.name` for people; never put this into SQL (use postgres/quote.ts). Two tables never have the same: a part with a dot or a double quote in
 * it is quoted, so that "a.b".c and a."b.c" stay apart.
 */
export function displayName(of: QualifiedName): string {
  return `${displayPart(of.schema)}.${displayPart(of.name)}`;
}

/** For a sentence: the first of many, `a, b and 12 more`. */
export function firstOf(names: readonly string[], most = 5): string {
  return `${names.slice(0, most).join(", ")}${names.length > most ? ` and ${names.length - most} more` : ""}`;
}

function displayPart(part: string): string {
  return /[."]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part;
}

/** Names of databases, groups and syncs: a letter, then letters, digits and underscores; at most 63 characters. */
export function isObjectName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name);
}

/** Words that versions 4 and 5 refused as names of a sync, because they are also words of the command line. */
export const RESERVED_SYNC_NAMES: readonly string[] = ["pushdelta", "fullcopy", "swap", "sync", "all"];
