import { canUpsert } from "../catalog/key.ts";
import { displayName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { LinkedTable } from "./link.ts";

/**
 * How a table of the target is filled.
 *   refill  emptied and filled in one transaction, which reads one snapshot of the source
 *   direct  emptied first; then each piece is a transaction of its own
 *   stage   the same through a stage, because pieces are of different moments and a unique value may be in two of them (hazard 12)
 */
export type Fill = "refill" | "direct" | "stage";

/** What stands in the way on the target. */
export type Obstacles = {
  /** Unique and exclusion indexes over anything but the key, on the table and its partitions. */
  readonly otherUnique: boolean;
  /** ON CONFLICT is refused: rules, deferrable constraints. */
  readonly noConflict: boolean;
};

/** `single`: it fits into one piece, or nobody captures what changes between pieces. Pure. */
export function chooseFill(
  obstacles: Obstacles,
  facts: { readonly single: boolean; readonly targetVersion: number; readonly partitioned: boolean },
): Fill {
  if (facts.single) return "refill";
  if (!obstacles.otherUnique) return "direct";
  const conflictsKnown = !obstacles.noConflict && !(facts.partitioned && facts.targetVersion < 110000);
  return conflictsKnown ? "stage" : "refill";
}

/** By `displayName`. */
export async function readObstacles(target: Session, tables: readonly LinkedTable[]): Promise<Map<string, Obstacles>> {
  type Row = { root: number; name: string; unique_indexes: string[]; deferrable: boolean };
  const rows = await target.query<Row>(
    sql(
      "copy.obstacles",
      `with recursive member (root, oid) as (
         select o, o from unnest($1::oid[]) o
         union all
         select m.root, i.inhrelid from member m join pg_class c on c.oid = m.oid and c.relkind = 'p' join pg_inherits i on i.inhparent = m.oid
       )
       select m.root, array_agg(x.relname::text) as unique_indexes, bool_or(not i.indimmediate) as deferrable
         from member m join pg_index i on i.indrelid = m.oid and (i.indisunique or i.indisexclusion)
         join pg_class x on x.oid = i.indexrelid and not exists (select from pg_inherits p where p.inhrelid = x.oid)
        group by m.root`,
      [tables.map(({ target: shape }) => shape.oid)],
    ),
  );
  const byRoot = new Map(rows.map((row) => [row.root, row]));
  return new Map(
    tables.map(({ link, target: shape }) => {
      const row = byRoot.get(shape.oid);
      const harmless = new Set(
        shape.keys.filter((key) => canUpsert(key) && sameColumns(key.columns, link.keyThere)).map((key) => key.name),
      );
      return [
        displayName(link.name),
        {
          otherUnique: row?.unique_indexes.some((name) => !harmless.has(name)) === true,
          noConflict: row?.deferrable === true || shape.rules.length > 0,
        },
      ];
    }),
  );
}

function sameColumns(columns: readonly string[], key: readonly { readonly name: string }[] | null): boolean {
  return key !== null && columns.length === key.length && key.every(({ name }) => columns.includes(name));
}

/**
 * Empties a table of the target within the caller's transaction. TRUNCATE where it may: tables that others refer to, and those of other owners, are
 * deleted from. True: truncated, so that COPY FREEZE is possible.
 */
export async function emptyTable(target: Session, { target: shape }: LinkedTable): Promise<boolean> {
  const only = shape.kind === "partitioned" ? "" : "only ";
  const { referenced } = await target.one<{ referenced: boolean }>(
    sql("copy.referenced", "select exists (select from pg_constraint where confrelid = $1 and contype = 'f') as referenced", [shape.oid]),
  );
  if (shape.privileges.truncate && !referenced) {
    await target.execute(sql("copy.truncate", `truncate ${only}${quoteName(shape)}`));
    return shape.kind === "plain";
  }
  await target.execute(sql("copy.empty", `delete from ${only}${quoteName(shape)}`));
  return false;
}
