import { groupBy } from "../base/group-by.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { toColumn, type Column } from "./column.ts";
import { columnStatement, type ColumnRow } from "./column.sql.ts";
import { constraintStatement, firingStatement, keyStatement, type ConstraintRow, type FiringRow, type KeyRow } from "./constraint.sql.ts";
import type { Keyed } from "./key.ts";
import { readLeaves, type Leaf } from "./leaf.ts";
import { keysOf } from "./partitioned-key.ts";
import { signatureOf } from "./signature.ts";
import { treeStatement, type TreeRow } from "./tree.sql.ts";

export type Trigger = {
  readonly name: string;
  /** O: fires unless session_replication_role is replica, R: only then, A: always, D: never. */
  readonly enabled: "O" | "D" | "R" | "A";
  /** Belongs to a constraint. */
  readonly internal: boolean;
};

export type Rule = { readonly name: string; readonly enabled: "O" | "D" | "R" | "A" };

export type ForeignKey = { readonly name: string; readonly to: QualifiedName; readonly deferrable: boolean };

export type Constraint = { readonly name: string; readonly kind: "check" | "exclude"; readonly definition: string };

/** What our user may do with the table; an owner or a superuser may all of it. */
export type TablePrivileges = TreeRow["privileges"];

export type TableKind = "plain" | "partitioned" | "partition" | "foreign" | "view" | "matview";

/** All that we need to know about a table, of one side. Pure data: read once, compared and stored as it is. */
export type TableShape = QualifiedName &
  Keyed & {
    readonly oid: number;
    /** `partition` is a leaf that was named by itself; a branch of a partitioned table is `partitioned`. */
    readonly kind: TableKind;
    /** p permanent, u unlogged, t temporary. */
    readonly persistence: "p" | "u" | "t";
    readonly owner: string;
    readonly columns: readonly Column[];
    /** For plain tables the table itself; for views none. */
    readonly leaves: readonly Leaf[];
    /** The partitioned tables between, root first; empty for plain tables. */
    readonly branches: readonly (QualifiedName & { readonly oid: number })[];
    readonly inheritanceParents: readonly number[];
    readonly inheritanceChildren: readonly number[];
    /** Of the table and of all its partitions. */
    readonly triggers: readonly Trigger[];
    readonly rules: readonly Rule[];
    readonly foreignKeys: readonly ForeignKey[];
    readonly constraints: readonly Constraint[];
    /** True when row level security would filter or refuse rows for our user (owners and BYPASSRLS pass). */
    readonly rowSecurity: boolean;
    readonly privileges: TablePrivileges;
    /** The table and those of its partitions on which our user may not create triggers. */
    readonly withoutTrigger: readonly QualifiedName[];
    readonly foreignLeaves: readonly QualifiedName[];
    /** Changes when a column's name, type, number or collation or the automatic key changes (signature.ts): how a run notices DDL. */
    readonly signature: string;
  };

export type ReadOptions = {
  /** Ask for `bound` of leaves (default true): the one part that locks the partitions, see `boundStatement`. */
  readonly bounds?: boolean;
};

/**
 * The shapes of all tables named, by `displayName`; those that do not exist, or are no tables, are absent. A fixed number of
 * queries (five, and one for each 500 partitions) however many tables, and no lock on any of them except for bounds.
 * Inside a REPEATABLE READ transaction everything is as of its snapshot.
 */
export async function readTables(
  session: Session,
  names: readonly QualifiedName[],
  options: ReadOptions = {},
): Promise<Map<string, TableShape>> {
  if (names.length === 0) return new Map();
  const { serverVersion } = session;
  const tree = await session.query<TreeRow>(treeStatement(serverVersion, names));
  const roots = tree.filter((row) => row.parent === null).map((row) => row.oid);
  const all = [...new Set(tree.map((row) => row.oid))];
  const found = {
    columns: groupBy(await session.query<ColumnRow>(columnStatement(serverVersion, roots)), (row) => row.table_oid),
    keys: groupBy(await session.query<KeyRow>(keyStatement(serverVersion, all)), (row) => row.table_oid),
    constraints: groupBy(await session.query<ConstraintRow>(constraintStatement(serverVersion, roots)), (row) => row.table_oid),
    firing: groupBy(await session.query<FiringRow>(firingStatement(all)), (row) => row.table_oid),
    leaves: await readLeaves(session, tree, options.bounds !== false),
  };
  return new Map([...groupBy(tree, (row) => row.root).values()].map((rows) => [displayName(rows[0]!), toShape(rows, found)]));
}

type Found = {
  readonly columns: ReadonlyMap<number, readonly ColumnRow[]>;
  readonly keys: ReadonlyMap<number, readonly KeyRow[]>;
  readonly constraints: ReadonlyMap<number, readonly ConstraintRow[]>;
  readonly firing: ReadonlyMap<number, readonly FiringRow[]>;
  readonly leaves: ReadonlyMap<number, Leaf>;
};

/** `rows`: the table itself first, then its partitions. */
function toShape(rows: readonly TreeRow[], found: Found): TableShape {
  const root = rows[0]!;
  const { keys, notNull } = keysOf(rows, found.keys);
  const columns = (found.columns.get(root.oid) ?? []).map((row) => toColumn(row, notNull.includes(row.name)));
  const constraints = found.constraints.get(root.oid) ?? [];
  const firing = rows.flatMap((row) => found.firing.get(row.oid) ?? []);
  return {
    schema: root.schema,
    name: root.name,
    oid: root.oid,
    kind: kindOf(root),
    persistence: root.persistence,
    owner: root.owner,
    columns,
    keys,
    leaves: rows.flatMap((row) => found.leaves.get(row.oid) ?? []),
    branches: rows.filter((row) => row.kind === "p").map(({ schema, name, oid }) => ({ schema, name, oid })),
    inheritanceParents: root.inheritance_parents,
    inheritanceChildren: root.inheritance_children,
    triggers: firing.filter((row) => row.kind === "trigger").map(({ name, enabled, internal }) => ({ name, enabled, internal })),
    rules: firing.filter((row) => row.kind === "rule").map(({ name, enabled }) => ({ name, enabled })),
    foreignKeys: constraints
      .filter((row) => row.kind === "f")
      .map((row) => ({ name: row.name, to: { schema: row.to_schema!, name: row.to_name! }, deferrable: row.deferrable })),
    constraints: constraints
      .filter((row) => row.kind !== "f")
      .map((row) => ({ name: row.name, kind: row.kind === "c" ? "check" : "exclude", definition: row.definition })),
    rowSecurity: root.row_security,
    privileges: root.privileges,
    withoutTrigger: rows.filter((row) => !row.privileges.trigger).map(({ schema, name }) => ({ schema, name })),
    foreignLeaves: rows.filter((row) => row.kind === "f" && row !== root).map(({ schema, name }) => ({ schema, name })),
    signature: signatureOf({ columns, keys }, null),
  };
}

const kinds: Readonly<Record<string, TableKind>> = { r: "plain", p: "partitioned", f: "foreign", v: "view", m: "matview" };

function kindOf(row: TreeRow): TableKind {
  return row.kind === "r" && row.is_partition ? "partition" : kinds[row.kind]!;
}
