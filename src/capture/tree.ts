import type { QualifiedName } from "../model/name.ts";
import { prepared, type Statement } from "../postgres/sql.ts";

/** How the changes of a table are seen. */
export type Variant =
  /** A plain table: statement triggers with transition tables. */
  | "statement"
  /** A partition tree on 13 and later: the same on root, branches and leaves, because they fire for the table that the statement names. */
  | "tree"
  /** Row triggers on whatever holds rows: partition leaves before 13 (12 crashes on a combination of transition tables), members of inheritance and
   *  partitions captured by themselves (a statement on the parent changes rows of the child without firing the child's statement triggers). */
  | "row";

export type Part = QualifiedName & { readonly oid: number; readonly holdsRows: boolean };

/** A table with all that belongs to it. */
export type Tree = QualifiedName & {
  readonly oid: number;
  readonly partitioned: boolean;
  /** Statements that name another table may change its rows: it is a partition, or parent or child of classic inheritance. */
  readonly related: boolean;
  /** The table itself first, then, for a partition tree, every branch and leaf. */
  readonly parts: readonly Part[];
};

type TreeRow = { oid: number; schema: string; name: string; kind: string; related: boolean };

/** To be asked together with other things. */
export function treeStatement(table: QualifiedName): Statement {
  return prepared(
    "capture.tree",
    `with recursive tree (oid, depth) as (
         select c.oid, 0 from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
         union all
         select i.inhrelid, t.depth + 1 from tree t join pg_class p on p.oid = t.oid and p.relkind = 'p' join pg_inherits i on i.inhparent = p.oid
       )
       select c.oid, n.nspname as schema, c.relname as name, c.relkind as kind,
              exists (select from pg_inherits i where i.inhrelid = c.oid)
              or c.relkind = 'r' and exists (select from pg_inherits i where i.inhparent = c.oid) as related
         from tree t join pg_class c on c.oid = t.oid join pg_namespace n on n.oid = c.relnamespace
        order by t.depth, n.nspname, c.relname`,
    [table.schema, table.name],
  );
}

/** Null: there is no such table. */
export function treeOf(answered: readonly object[]): Tree | null {
  const rows = answered as readonly TreeRow[];
  const root = rows[0];
  if (root === undefined) return null;
  return {
    oid: root.oid,
    schema: root.schema,
    name: root.name,
    partitioned: root.kind === "p",
    related: root.related,
    parts: rows.map((row) => ({ oid: row.oid, schema: row.schema, name: row.name, holdsRows: row.kind !== "p" })),
  };
}

export function chooseVariant(tree: Pick<Tree, "related" | "partitioned">, serverVersion: number): Variant {
  if (tree.related) return "row";
  if (!tree.partitioned) return "statement";
  return serverVersion >= 130000 ? "tree" : "row";
}
