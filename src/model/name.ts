/** A table or sequence by schema and name, both exactly as in pg_class (no quoting, no folding). */
export type QualifiedName = { readonly schema: string; readonly name: string };

/** `schema.name` for people; never put this into SQL (use postgres/quote.ts). */
export function displayName(of: QualifiedName): string {
  return `${of.schema}.${of.name}`;
}

/** Names of databases, groups and syncs: a letter, then letters, digits and underscores; at most 63 characters. */
export function isObjectName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name);
}

/** Words that versions 4 and 5 refused as names of a sync, because they are also words of the command line. */
export const RESERVED_SYNC_NAMES: readonly string[] = ["pushdelta", "fullcopy", "swap", "sync", "all"];
