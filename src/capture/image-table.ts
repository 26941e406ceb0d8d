import { readFile } from "node:fs/promises";
import { readTables } from "../catalog/table.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { refuseHeld } from "./blocker.ts";
import { CAPTURE_ROLE } from "./name.ts";
import { ensureCaptureSchema, lockCapture, usesCaptureRole } from "./schema.ts";

/** A table without key that is followed by the images of its rows. */
export type ImageTable = {
  readonly id: number;
  readonly relation: number;
  readonly name: QualifiedName;
  readonly columns: readonly string[];
  readonly snapshot: string | null;
  readonly print: string | null;
  readonly intent: string | null;
  readonly intentPrint: string | null;
  readonly targetXid: number | null;
};

const EVENTS = ["insert", "update", "delete", "truncate", "guard"] as const;
type Event = (typeof EVENTS)[number];

const NEW_ROWS = `"_bucardo_new"`;
const OLD_ROWS = `"_bucardo_old"`;

/** Where the rows go that came and went. */
export function imageDelta(id: number): QualifiedName {
  return { schema: "bucardo", name: `image_${id}` };
}

/** The columns of a delta, in the order of the table's. */
export function imageColumn(index: number): string {
  return `c${index + 1}`;
}

/**
 * Every row that comes or goes in these tables leaves its image, from each table's commit on; each in a transaction with a lock timeout. What is there already
 * stays as it is. `snapshot`: the target has this state already; null: it needs the whole table. Errors: lock-timeout, schema-mismatch, in-use.
 */
export async function installImages(
  source: Session,
  sync: string,
  tables: readonly QualifiedName[],
  options: { readonly lockTimeoutMs: number; readonly equal: boolean },
): Promise<void> {
  if (tables.length === 0) return;
  await ensureImageSchema(source);
  const known = new Set((await readImageTables(source, sync)).map(({ name }) => displayName(name)));
  const shapes = await readTables(source, tables, { bounds: false });
  for (const name of tables.filter((table) => !known.has(displayName(table)))) {
    const shape = shapes.get(displayName(name));
    if (shape === undefined)
      throw new BucardoError("schema-mismatch", `${displayName(name)} does not exist on ${source.name}`, {
        db: source.name,
        table: displayName(name),
      });
    const columns = shape.columns
      .filter(({ generated }) => generated === "")
      .map((column) => ({ name: column.name, type: column.baseType }));
    await transaction(source, {}, async () => {
      await lockCapture(source);
      await refuseHeld(source, name, "create trigger", options.lockTimeoutMs);
      const { id } = await source.one<{ id: number }>(
        sql(
          "capture.add-image",
          `insert into bucardo.image_table (sync, relation, schema_name, table_name, columns) values ($1, $2, $3, $4, $5) returning id`,
          [sync, shape.oid, name.schema, name.name, columns.map((column) => column.name)],
        ),
      );
      const owned = await usesCaptureRole(source);
      await source.script(
        sql(
          "capture.begin-image",
          `set local lock_timeout = ${Math.trunc(options.lockTimeoutMs)}; ${installText(id, name, columns, owned)}`,
        ),
      );
    });
  }
  if (!options.equal) return;
  // CREATE TRIGGER has waited for every writer: what is not in this snapshot leaves an image.
  for (const table of (await readImageTables(source, sync)).filter(({ snapshot, intent }) => snapshot === null && intent === null))
    await source.execute(
      sql("capture.image-equal", "update bucardo.image_table set snapshot = txid_current_snapshot()::text, print = $2 where id = $1", [
        table.id,
        await imagePrint(source, table.relation),
      ]),
    );
}

async function ensureImageSchema(source: Session): Promise<void> {
  if (await hasImages(source)) return;
  await ensureCaptureSchema(source);
  const text = await readFile(new URL("../../sql/image/0001-initial.sql", import.meta.url), "utf8");
  await transaction(source, {}, async () => {
    await lockCapture(source);
    if (!(await hasImages(source))) await source.script(sql("capture.image-schema", text));
  });
}

async function hasImages(source: Session): Promise<boolean> {
  const { there } = await source.one<{ there: boolean }>(
    sql("capture.images-there", "select to_regclass('bucardo.image_table') is not null as there"),
  );
  return there;
}

/** Of a sync, or null: of all. */
export async function readImageTables(source: Session, sync: string | null): Promise<ImageTable[]> {
  if (!(await hasImages(source))) return [];
  const rows = await source.query<Omit<ImageTable, "name"> & { schema: string; table: string }>(
    sql(
      "capture.read-images",
      `select id, relation, schema_name as schema, table_name as table, columns, snapshot, print, intent, intent_print as "intentPrint", target_xid as "targetXid"
         from bucardo.image_table where $1::uuid is null or sync = $1 order by id`,
      [sync],
    ),
  );
  return rows.map(({ schema, table, ...row }) => ({ ...row, name: { schema, name: table } }));
}

/** Changes when the table is rewritten or truncated, and with its columns and our triggers. */
export async function imagePrint(source: Session, relation: number): Promise<string> {
  const { print } = await source.one<{ print: string }>(
    sql(
      "capture.image-print",
      `select c.relfilenode || ' '
              || (select md5(string_agg(format('%s %s', a.attnum, a.xmin), ',' order by a.attnum)) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0) || ' '
              || (select md5(string_agg(format('%s %s %s', t.oid, t.xmin, t.tgenabled), ',' order by t.oid)) from pg_trigger t where t.tgrelid = c.oid and t.tgname like 'bucardo\\_image\\_%') as print
         from pg_class c where c.oid = $1`,
      [relation],
    ),
  );
  return print;
}

/** Triggers, functions and images of a sync, or null: of all, or of some of its tables go; with the last one our table too. Errors: lock-timeout. */
export async function dropImages(
  source: Session,
  sync: string | null,
  lockTimeoutMs: number,
  tables?: readonly QualifiedName[],
): Promise<void> {
  const wanted = tables === undefined ? null : new Set(tables.map(displayName));
  for (const { id, relation } of (await readImageTables(source, sync)).filter(({ name }) => wanted?.has(displayName(name)) ?? true)) {
    await transaction(source, {}, async () => {
      await lockCapture(source);
      const [table] = await source.query<QualifiedName>(
        sql(
          "capture.image-name",
          "select n.nspname::text as schema, c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1",
          [relation],
        ),
      );
      if (table !== undefined) await refuseHeld(source, table, "drop trigger", lockTimeoutMs);
      const triggers =
        table === undefined ? [] : EVENTS.map((event) => `drop trigger if exists ${triggerOf(event)} on ${quoteName(table)};`);
      await source.script(
        sql(
          "capture.drop-image",
          `set local lock_timeout = ${Math.trunc(lockTimeoutMs)}; ${triggers.join(" ")}
           ${EVENTS.map((event) => `drop function if exists ${functionOf(id, event)}();`).join(" ")}
           drop table if exists ${quoteName(imageDelta(id))}; delete from bucardo.image_table where id = ${id}`,
        ),
      );
    });
  }
  if (!(await hasImages(source))) return;
  await transaction(source, {}, async () => {
    await lockCapture(source);
    const { used } = await source.one<{ used: boolean }>(
      sql("capture.images-used", "select exists (select from bucardo.image_table) as used"),
    );
    if (!used) await source.script(sql("capture.drop-images", "drop table if exists bucardo.image_table"));
  });
}

function functionOf(id: number, event: Event): string {
  return quoteName({ schema: "bucardo", name: `image_${id}_${event}` });
}

function triggerOf(event: Event): string {
  return `bucardo_image_${event}`;
}

/** As the functions of keyed capture: run with the rights of who owns them, nothing that a search_path could lead elsewhere (hazard 16). */
function installText(id: number, table: QualifiedName, columns: readonly { name: string; type: string }[], owned: boolean): string {
  const delta = quoteName(imageDelta(id));
  const names = columns.map(({ name }) => quoteIdent(name)).join(", ");
  const images = (n: 1 | -1, rows: string) => `select pg_catalog.txid_current(), ${n}, ${names} from ${rows}`;
  const bodies: Record<Event, string> = {
    insert: `insert into ${delta} ${images(1, NEW_ROWS)};`,
    delete: `insert into ${delta} ${images(-1, OLD_ROWS)};`,
    update: `insert into ${delta} ${images(-1, OLD_ROWS)} union all ${images(1, NEW_ROWS)};`,
    truncate: `insert into ${delta} (xid, n) values (pg_catalog.txid_current(), 0);`,
    guard: "-- Nothing: that this trigger names the columns keeps them, and their types, as they are in the images.",
  };
  const whens: Record<Event, string> = {
    insert: `after insert on ${quoteName(table)} referencing new table as ${NEW_ROWS}`,
    delete: `after delete on ${quoteName(table)} referencing old table as ${OLD_ROWS}`,
    update: `after update on ${quoteName(table)} referencing old table as ${OLD_ROWS} new table as ${NEW_ROWS}`,
    truncate: `after truncate on ${quoteName(table)}`,
    guard: `after update of ${names} on ${quoteName(table)}`,
  };
  const functions = EVENTS.map((event) => {
    const text = `\n#variable_conflict use_column\nbegin\n  ${bodies[event]}\n  return null;\nend\n`;
    let tag = "bucardo";
    while (text.includes(`$${tag}$`)) tag += "_";
    const owner = owned ? `alter function ${functionOf(id, event)}() owner to ${CAPTURE_ROLE};` : "";
    return `create or replace function ${functionOf(id, event)}() returns trigger language plpgsql security definer as $${tag}$${text}$${tag}$;
revoke execute on function ${functionOf(id, event)}() from public; ${owner}`;
  });
  const triggers = EVENTS.map(
    (event) => `create trigger ${triggerOf(event)} ${whens[event]} for each statement execute procedure ${functionOf(id, event)}()`,
  );
  return [
    `create table ${delta} (xid bigint not null, n smallint not null${columns.map(({ type }, index) => `, ${imageColumn(index)} ${type}`).join("")})`,
    owned ? `grant insert on ${delta} to ${CAPTURE_ROLE}` : "select",
    ...functions,
    ...triggers,
  ].join(";\n");
}
