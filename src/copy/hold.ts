import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Piece } from "./piece.ts";

/** What a piece reads, as it is called now. */
export type Part = { readonly name: QualifiedName; readonly partitioned: boolean };

/** undefined_table, invalid_schema_name: dropped or renamed since we asked for its name. */
const GONE = new Set(["42P01", "3F000"]);

/** Nobody queues behind us for longer than this; the piece is tried again. */
const LOCK_TIMEOUT = "2s";

/**
 * Locks what a piece reads, and holds it against the snapshot: TRUNCATE and rewrites are not MVCC-safe, after them an older snapshot sees an empty table
 * (hazard 2). From here to the end of the transaction neither can happen. Null: a partition that left the table since the copy was planned; the run
 * knows what to do about it. Errors: run-void, lock-timeout, schema-mismatch (the table is gone).
 */
export async function holdPart(source: Session, piece: Piece): Promise<Part | null> {
  return (await holdRelation(source, piece.part, piece.name)) ?? (await missing(source, piece));
}

/** The same for any table or partition of `table`. Null: there is none of that number any more. Errors: run-void, lock-timeout. */
export async function holdRelation(source: Session, oid: number, table: QualifiedName): Promise<Part | null> {
  const found = await findPart(source, oid);
  if (found === undefined) return null;
  const name = quoteName(found.name);
  try {
    await source.script(
      sql(
        "copy.hold",
        `set local lock_timeout = '${LOCK_TIMEOUT}'; lock table ${found.partitioned ? "" : "only "}${name} in access share mode; set local lock_timeout = 0`,
      ),
    );
  } catch (error) {
    if (GONE.has(sqlstateOf(error) ?? "")) throw changed(source, table);
    throw error;
  }
  const { same } = await source.one<{ same: boolean }>(
    sql(
      "copy.check-file",
      `with recursive member (oid) as (
         select $1::oid
         union all
         select i.inhrelid from member m join pg_class c on c.oid = m.oid and c.relkind = 'p' join pg_inherits i on i.inhparent = m.oid
       )
       select to_regclass($2)::oid is not distinct from $1::oid
              and not exists (select from member m join pg_class c on c.oid = m.oid
                               where c.relkind = 'r' and c.relfilenode is distinct from pg_relation_filenode(c.oid)) as same`,
      [oid, name],
    ),
  );
  if (!same) throw changed(source, table);
  return found;
}

async function findPart(source: Session, oid: number): Promise<Part | undefined> {
  const [row] = await source.query<QualifiedName & { partitioned: boolean }>(
    sql(
      "copy.find-part",
      `select n.nspname::text as schema, c.relname::text as name, c.relkind = 'p' as partitioned
         from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1`,
      [oid],
    ),
  );
  return row === undefined ? undefined : { name: { schema: row.schema, name: row.name }, partitioned: row.partitioned };
}

async function missing(source: Session, piece: Piece): Promise<null> {
  const { there } = await source.one<{ there: boolean }>(
    sql(
      "copy.table-there",
      "select exists (select from bucardo.copy_table t join pg_class c on c.oid = t.relation where t.id = $1 and t.relation <> $2) as there",
      [piece.table, piece.part],
    ),
  );
  if (there) return null;
  const table = displayName(piece.name);
  throw new BucardoError("schema-mismatch", `${table} was dropped on ${source.name} while it was copied`, {
    db: source.name,
    table,
    advice: "Take it out of what is copied; if a table of that name was made again, reset its copy.",
  });
}

function changed(source: Session, name: QualifiedName): BucardoError {
  const table = displayName(name);
  return new BucardoError("run-void", `${table} was truncated, rewritten or renamed while a piece of it was read`, {
    db: source.name,
    table,
  });
}
