import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { readKeysOf } from "./key-column.ts";
import type { CaptureRequest } from "./request.ts";
import { readShapes } from "./shape.ts";
import { chooseVariant, type Variant } from "./tree.ts";

type Row = QualifiedName & {
  readonly relation: number;
  readonly key: readonly string[];
  readonly types: readonly string[];
  readonly variant: Variant;
  readonly notify: boolean;
  readonly partitioned: boolean;
  readonly related: boolean;
  readonly targets: number;
};

/**
 * Tables of a request, by `displayName`, whose capture is complete: the same key, all triggers, every target subscribed. A few statements for all of them, so that to
 * look at thousands that are in order costs no round trip for each. In doubt a table is not among them: then `captureTable` looks.
 */
export async function readComplete(source: Session, { sync, targets, relations }: CaptureRequest): Promise<Set<string>> {
  const wanted = new Map(
    relations.filter(({ kind, key }) => kind === "table" && key !== null).map((relation) => [displayName(relation.name), relation]),
  );
  const known = (
    await readKnown(
      source,
      sync.id,
      targets,
      [...wanted.values()].map(({ name }) => name),
    )
  ).filter((row) => {
    const { key, autokick } = wanted.get(displayName(row))!;
    const tree = { partitioned: row.partitioned, related: row.related };
    return (
      row.targets === targets.length &&
      (row.notify || !autokick) &&
      JSON.stringify(row.key) === JSON.stringify(key) &&
      row.variant === chooseVariant(tree, source.serverVersion)
    );
  });
  if (known.length === 0) return new Set();
  const types = await typesOf(source, known);
  if (types === null) return new Set();
  const states = await readShapes(
    source,
    known.map(({ relation }) => relation),
  );
  const complete = known.filter(
    (row, index) => JSON.stringify(row.types) === JSON.stringify(types[index]) && states.get(row.relation)?.uncaptured.length === 0,
  );
  return new Set(complete.map(displayName));
}

async function readKnown(source: Session, sync: string, targets: readonly string[], names: readonly QualifiedName[]): Promise<Row[]> {
  return source.query<Row>(
    sql(
      "capture.known-tables",
      `select n.nspname::text as schema, c.relname::text as name, t.relation, t.key_columns as key, t.key_types as types, t.variant, t.notify,
              c.relkind = 'p' as partitioned,
              exists (select from pg_inherits i where i.inhrelid = c.oid)
              or c.relkind = 'r' and exists (select from pg_inherits i where i.inhparent = c.oid) as related,
              (select count(*)::int from bucardo.subscription s where s.captured_table = t.id and s.sync = $1 and s.target = any ($2::text[])) as targets
         from bucardo.captured_table t join pg_class c on c.oid = t.relation join pg_namespace n on n.oid = c.relnamespace
         join unnest($3::text[], $4::text[]) w (schema, name) on w.schema = n.nspname and w.name = c.relname`,
      [sync, targets, names.map(({ schema }) => schema), names.map(({ name }) => name)],
    ),
  );
}

/** Null: a key column is gone; the table says which when it is looked at by itself. */
async function typesOf(source: Session, known: readonly Row[]): Promise<string[][] | null> {
  try {
    const keys = await readKeysOf(
      source,
      known.map(({ relation, key }) => ({ oid: relation, columns: key })),
    );
    return keys.map((key) => key.map(({ type }) => type));
  } catch (error) {
    if (error instanceof BucardoError && error.code === "schema-mismatch") return null;
    throw error;
  }
}
