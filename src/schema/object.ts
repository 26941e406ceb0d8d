import { displayName, type QualifiedName } from "../model/name.ts";

/**
 * When an object is made, in this order. Rows are copied between `pre` and `key`; `key` holds what names rows in replication, `unique` all other
 * uniqueness (which may be violated while pieces are repaired).
 */
export const stages = [
  "role", // roles, memberships and settings of roles (roles.ts)
  "pre", // schemas, extensions, types, functions, tables, views
  "key",
  "unique", // UNIQUE, EXCLUDE, unique indexes that are not the key
  "index",
  "check", // constraints that hold for new rows only (NOT VALID)
  "foreign-key", // not validated yet, where that can be had
  "validate", // foreign keys
  "late", // views and functions that need a primary key
  "trigger", // triggers, rules, policies, row level security
  "statistics",
  "comment", // and security labels
  "grant", // and default privileges
  "publication",
  "event-trigger",
  "setting", // of the database
] as const;
export type Stage = (typeof stages)[number];

/** One object of a schema, with all statements that make it. They are run in one transaction, so it is there wholly or not at all. */
export type SchemaObject = {
  /** The same in every dump of that database: `INDEX s.t_x_idx`. What a restore remembers. */
  readonly id: string;
  /** pg_dump's word: TABLE, FK CONSTRAINT, ACL. */
  readonly kind: string;
  readonly schema: string | null;
  /** As pg_dump tells it: a constraint's comes behind its table's, a function's with its arguments. */
  readonly name: string;
  /** The table it belongs to. */
  readonly of: QualifiedName | null;
  readonly owner: string | null;
  readonly stage: Stage;
  readonly statements: readonly string[];
  /** Other than the default. */
  readonly tablespace: string | null;
  readonly accessMethod: string | null;
  /** Catalogue and oid on the source; of a comment or grant those of what it belongs to; zeros for what has none. */
  readonly classId: number;
  readonly oid: number;
  /** Pages on the source; what takes longest begins first. */
  readonly pages: number;
};

/** `INDEX s.t_x_idx of s.t`, for people. */
export function describeObject(object: Pick<SchemaObject, "id" | "of" | "kind">): string {
  if (object.of === null || object.kind === "TABLE" || object.id.includes(displayName(object.of))) return object.id;
  return `${object.id} of ${displayName(object.of)}`;
}
