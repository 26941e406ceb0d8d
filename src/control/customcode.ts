import { inOrder, type CustomCode, type Whenrun } from "../model/customcode.ts";
import { displayName } from "../model/name.ts";
import type { SyncDefinition } from "../model/sync.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A piece of custom code as it is registered. */
export type CustomCodeRow = {
  readonly id: number;
  readonly name: string;
  readonly about: string | null;
  readonly whenrun: Whenrun;
  readonly language: "js" | "ts" | "sql";
  /** As it was given. */
  readonly source: string;
  /** As it runs. */
  readonly code: string;
  readonly checksum: string;
  readonly file: string | null;
  readonly getdbh: boolean;
  readonly db: string | null;
  readonly status: "active" | "inactive";
  readonly priority: number;
  readonly uses: readonly CustomCodeUse[];
};

/** What a piece of code is attached to: a sync or a relation. */
export type CustomCodeUse = {
  readonly sync: string | null;
  readonly syncName: string | null;
  readonly relation: number | null;
  /** `schema.name` of the relation. */
  readonly table: string | null;
  readonly active: boolean;
  /** Null: the code's. */
  readonly priority: number | null;
};

export async function readCustomCodes(session: Session): Promise<CustomCodeRow[]> {
  const codes = await session.query<Omit<CustomCodeRow, "uses">>(
    sql(
      "control.customcode-read-all",
      `select c.id, c.name, c.about, c.whenrun, c.language, c.source, c.code, c.checksum, c.file, c.getdbh, c.db, c.status, c.priority
         from bucardo.customcode c order by c.priority, c.name`,
    ),
  );
  if (codes.length === 0) return [];
  const uses = await session.query<Omit<CustomCodeUse, "table"> & { code: number; schema: string | null; name: string | null }>(
    sql(
      "control.customcode-uses",
      `select m.code, m.sync, s.name as "syncName", m.relation, r.schema_name as schema, r.relation_name as name, m.active, m.priority
         from bucardo.customcode_map m left join bucardo.sync s on s.id = m.sync left join bucardo.relation r on r.id = m.relation
        order by s.name, r.schema_name, r.relation_name`,
    ),
  );
  return codes.map((code) => ({
    ...code,
    uses: uses
      .filter((use) => use.code === code.id)
      .map(({ sync, syncName, relation, schema, name, active, priority }) => ({
        sync,
        syncName,
        relation,
        table: schema === null || name === null ? null : displayName({ schema, name }),
        active,
        priority,
      })),
  }));
}

/** What runs for a sync: active code that is attached to it or to one of its relations. Pure. */
export function codesOf(sync: Pick<SyncDefinition, "id" | "relations">, rows: readonly CustomCodeRow[]): CustomCode[] {
  const relations = new Set(sync.relations.map(({ id }) => id));
  const found = rows
    .filter(({ status }) => status === "active")
    .flatMap(({ uses, ...row }) =>
      uses
        .filter((use) => use.active && (use.sync === sync.id || (use.relation !== null && relations.has(use.relation))))
        .map((use): CustomCode => ({
          id: row.id,
          name: row.name,
          whenrun: row.whenrun,
          language: row.language === "sql" ? "sql" : "js",
          text: row.code,
          checksum: row.checksum,
          getdbh: row.getdbh,
          db: row.db,
          priority: use.priority ?? row.priority,
          table: use.table,
        })),
    );
  return inOrder(found);
}

type Values = Omit<CustomCodeRow, "id" | "uses">;

export async function insertCustomCode(session: Session, code: Values): Promise<number> {
  const { id } = await session.one<{ id: number }>(
    sql(
      "control.customcode-insert",
      `insert into bucardo.customcode (name, about, whenrun, language, source, code, checksum, file, getdbh, db, status, priority)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id`,
      valuesOf(code),
    ),
  );
  return id;
}

/** Replaces everything but what it is attached to; found by id, so it can be renamed. */
export async function updateCustomCode(session: Session, id: number, code: Values): Promise<void> {
  await session.execute(
    sql(
      "control.customcode-update",
      `update bucardo.customcode
          set name = $1, about = $2, whenrun = $3, language = $4, source = $5, code = $6, checksum = $7, file = $8, getdbh = $9, db = $10, status = $11,
              priority = $12, changed_at = now()
        where id = $13`,
      [...valuesOf(code), id],
    ),
  );
}

export async function deleteCustomCode(session: Session, id: number): Promise<void> {
  await session.execute(sql("control.customcode-delete", "delete from bucardo.customcode where id = $1", [id]));
}

/** Attaches code to a sync or a relation, or changes how it is. */
export async function putCustomCodeUse(
  session: Session,
  code: number,
  use: ({ readonly sync: string; readonly relation?: never } | { readonly sync?: never; readonly relation: number }) & {
    readonly active: boolean;
    readonly priority: number | null;
  },
): Promise<void> {
  const [column, id] = use.sync === undefined ? ["relation", use.relation] : ["sync", use.sync];
  await session.execute(
    sql(
      "control.customcode-use",
      `insert into bucardo.customcode_map (code, ${column}, active, priority) values ($1, $2, $3, $4)
       on conflict (code, ${column}) do update set active = excluded.active, priority = excluded.priority`,
      [code, id, use.active, use.priority],
    ),
  );
}

function valuesOf(code: Values): unknown[] {
  const { name, about, whenrun, language, source, code: text, checksum, file, getdbh, db, status, priority } = code;
  return [name, about, whenrun, language, source, text, checksum, file, getdbh, db, status, priority];
}
