import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { attempt } from "./sift.ts";
import { MOST_SET_ASIDE } from "./careful-row.ts";
import type { Careful, RefusedRow } from "./careful.ts";
import type { Batch, RunDefinition } from "./definition.ts";
import type { Fetched } from "./fetch.ts";
import { pendingKeys } from "./fetch-text.ts";
import { keyInSource, type TableLink } from "./table-link.ts";

/**
 * Rows set aside whose keys the run carries, because they were changed since or are tried again: what it finds replaces them. To be called in the
 * run's snapshot. Nothing is asked where nothing is set aside.
 */
export async function supersededBy(source: Session, { sync, target }: RunDefinition, fetched: readonly Fetched[]): Promise<number[]> {
  const ids: number[] = [];
  for (const { plan, link } of fetched) {
    if (plan.table.setAside === 0) continue;
    const same = link.source.key.map((column, index) => `d.k${index + 1} ${column.equals} a.key[${index + 1}]::${column.type}`);
    const carried = plan.action === "keys" ? `exists (select from (${pendingKeys(plan, link)}) d where ${same.join(" and ")})` : "true";
    const rows = await source.query<{ id: number }>(
      sql(
        "replicate.superseded",
        `select a.id from bucardo.set_aside a
          where a.sync = $1 and a.target = $2 and a.captured_table = $3 and a.kind = 'refused' and ${carried}`,
        [sync.id, target, plan.table.captured],
      ),
    );
    ids.push(...rows.map(({ id }) => id));
  }
  return ids;
}

export type Aside = { readonly superseded: readonly number[]; readonly careful: Careful | null; readonly fetched: readonly Fetched[] };

/**
 * Moves the checkpoint, and in the same transaction notes what was set aside and forgets what was carried: a key is always either pending, set aside, or
 * on the target. Returns how many rows are set aside for the target now.
 */
export async function settleAside(
  source: Session,
  definition: RunDefinition,
  batch: Batch,
  { superseded, careful, fetched }: Aside,
  settle: () => Promise<void>,
): Promise<number> {
  const refused = careful?.refused ?? [];
  const overwritten = careful?.overwritten ?? [];
  const held = batch.tables.reduce((sum, table) => sum + table.setAside, 0);
  if (superseded.length + refused.length + overwritten.length === 0) {
    await settle();
    return held;
  }
  await transaction(source, {}, async () => {
    await settle();
    const note = { sync: definition.sync.id, target: definition.target, run: batch.checkpoint.run + 1 };
    await source.execute(sql("replicate.forget-aside", "delete from bucardo.set_aside where id = any ($1::bigint[])", [superseded]));
    await insertRows(source, note, "overwritten", overwritten);
    await trimOverwritten(source, note);
    const ids = await insertRows(source, note, "refused", refused);
    for (const { plan, link } of fetched) if (ids.length > 0) await addImages(source, ids, plan.table.captured, link);
  });
  return held - superseded.length + refused.length;
}

type Note = { readonly sync: string; readonly target: string; readonly run: number };

async function insertRows(
  source: Session,
  { sync, target, run }: Note,
  kind: "refused" | "overwritten",
  rows: readonly (RefusedRow & { readonly image?: string | null })[],
): Promise<number[]> {
  if (rows.length === 0) return [];
  const inserted = await source.query<{ id: number }>(
    sql(
      "replicate.set-aside",
      `insert into bucardo.set_aside (sync, target, run, kind, captured_table, key, sqlstate, message, image)
       select $1, $2, $3, $4, r.captured, r.key, r.sqlstate, r.message, r.image::json
         from json_to_recordset($5::json) r (captured integer, key text[], sqlstate text, message text, image text)
       returning id`,
      [sync, target, run, kind, JSON.stringify(rows)],
    ),
  );
  return inserted.map(({ id }) => id);
}

/** Of rows that had to give way the newest are kept, for whoever wants one back. */
async function trimOverwritten(source: Session, { sync, target }: Note): Promise<void> {
  await source.execute(
    sql(
      "replicate.trim-overwritten",
      `delete from bucardo.set_aside where kind = 'overwritten' and id in (
         select id from bucardo.set_aside where sync = $1 and target = $2 and kind = 'overwritten' order by id desc offset ${MOST_SET_ASIDE})`,
      [sync, target],
    ),
  );
}

/** Beyond that a row is not kept but read when it is tried again. */
const LARGEST_IMAGE = 1024 * 1024;

/**
 * The rows as the source has them now: what was refused, or younger, and then it is on its way by itself. They do not leave the source. A table that is locked or
 * was altered leaves the row without an image; its key is what counts.
 */
async function addImages(source: Session, ids: readonly number[], captured: number, link: TableLink): Promise<void> {
  const keyOf = keyInSource(link);
  const same = link.source.key.map((column, index) => `${keyOf[index]} ${column.equals} a.key[${index + 1}]::${column.type}`);
  const text = `update bucardo.set_aside a
          set image = (select case when pg_column_size(t) <= ${LARGEST_IMAGE} then row_to_json(t) end from ${link.source.from} where ${same.join(" and ")})
        where a.captured_table = ${captured} and a.id in (${ids.join(", ")})`;
  await source.script(sql("replicate.aside-patience", "set local lock_timeout = '500ms'"));
  await attempt(source, text).catch((error: unknown) => {
    if (sqlstateOf(error) === null) throw error;
  });
}
