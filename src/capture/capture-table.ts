import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { type Captured, deltaTableText, eventsOf, functionText } from "./function-text.ts";
import { type KeyColumn, readKeyColumns } from "./key-column.ts";
import { CAPTURE_ROLE, deltaTable, functionName } from "./name.ts";
import { lockCapture, usesCaptureRole } from "./schema.ts";
import { chooseVariant, readTree, type Tree, type Variant } from "./tree.ts";
import { dropTriggers, ensureTriggers } from "./trigger.ts";

export type TableRequest = {
  readonly table: QualifiedName;
  readonly key: readonly string[];
  readonly notify: boolean;
  readonly sync: string;
  readonly targets: readonly string[];
  /** Those of them that need the whole table when they are not subscribed yet. */
  readonly owedCopy?: readonly string[];
  readonly lockTimeoutMs: number;
};

type CapturedRow = { id: number; key_columns: string[]; key_types: string[]; variant: Variant; notify: boolean; generation: number };

/**
 * Makes one table captured and subscribed, in one transaction with a lock timeout. What is there and right stays untouched, so that
 * a second sync over the same table takes no lock on it. Errors: lock-timeout (nothing changed), schema-mismatch, not-supported.
 */
export async function captureTable(source: Session, request: TableRequest): Promise<void> {
  await transaction(source, {}, async () => {
    await lockCapture(source);
    await source.script(sql("capture.lock-timeout", `set local lock_timeout = ${Math.trunc(request.lockTimeoutMs)}`));
    const tree = await readTree(source, request.table);
    if (tree === null)
      throw new BucardoError("schema-mismatch", `table ${displayName(request.table)} does not exist on ${source.name}`, {
        db: source.name,
        table: displayName(request.table),
      });
    const key = await readKeyColumns(source, tree.oid, request.key);
    const { captured, again } = await ensureCaptured(source, tree, key, request);
    await ensureTriggers(source, tree, captured, request.lockTimeoutMs);
    await subscribe(source, captured.id, request, again);
  });
}

async function ensureCaptured(
  source: Session,
  tree: Tree,
  key: readonly KeyColumn[],
  request: TableRequest,
): Promise<{ captured: Captured; again: boolean }> {
  const variant = chooseVariant(tree, source.serverVersion);
  const columns = key.map((column) => column.name);
  const types = key.map((column) => column.type);
  const [row] = await source.query<CapturedRow>(
    sql(
      "capture.find-table",
      "select id, key_columns, key_types, variant, notify, generation from bucardo.captured_table where relation = $1",
      [tree.oid],
    ),
  );
  if (row !== undefined && sameList(row.key_columns, columns) && sameList(row.key_types, types)) {
    const captured: Captured = { id: row.id, generation: row.generation, variant, notify: row.notify || request.notify, key };
    if (variant !== row.variant) await changeVariant(source, captured, request.lockTimeoutMs);
    if (captured.notify !== row.notify) {
      await source.execute(sql("capture.set-notify", "update bucardo.captured_table set notify = true where id = $1", [row.id]));
      await createFunctions(source, captured);
    }
    return { captured, again: false };
  }
  if (row !== undefined) {
    await refuseWhenOthersCount(source, row, tree, request);
    await dropCaptured(source, row.id, request.lockTimeoutMs);
  }
  await forgetFirstLife(source, tree, request.lockTimeoutMs);
  const { id } = await source.one<{ id: number }>(
    sql(
      "capture.add-table",
      `insert into bucardo.captured_table (relation, schema_name, table_name, key_columns, key_types, variant, notify)
       values ($1, $2, $3, $4, $5, $6, $7) returning id`,
      [tree.oid, tree.schema, tree.name, columns, types, variant, request.notify],
    ),
  );
  const captured: Captured = { id, generation: 1, variant, notify: request.notify, key };
  await createGeneration(source, captured);
  await createFunctions(source, captured);
  return { captured, again: row !== undefined };
}

/** A table of this name was captured, dropped and made again: nobody can read what is left of it. */
async function forgetFirstLife(source: Session, { schema, name }: Tree, lockTimeoutMs: number): Promise<void> {
  const gone = await source.query<{ id: number }>(
    sql(
      "capture.dropped-tables",
      `select t.id from bucardo.captured_table t
        where t.schema_name = $1 and t.table_name = $2 and not exists (select from pg_class c where c.oid = t.relation)`,
      [schema, name],
    ),
  );
  for (const { id } of gone) await dropCaptured(source, id, lockTimeoutMs);
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * The table became a partition or a child since it was captured, or is none any more: other triggers, the same delta tables. What changed
 * between is unknown, so every target gets the table again.
 */
async function changeVariant(source: Session, captured: Captured, lockTimeoutMs: number): Promise<void> {
  await dropTriggers(source, captured.id, lockTimeoutMs);
  await createFunctions(source, captured);
  await source.execute(
    sql(
      "capture.change-variant",
      `with changed as (update bucardo.captured_table set variant = $2 where id = $1 returning id)
       update bucardo.subscription s set recopy = true from changed where s.captured_table = changed.id`,
      [captured.id, captured.variant],
    ),
  );
}

/** Another key means that what waits cannot be read any more: only where nobody else counts on it. */
async function refuseWhenOthersCount(source: Session, row: CapturedRow, tree: Tree, request: TableRequest): Promise<void> {
  const others = await source.query<{ sync_name: string }>(
    sql(
      "capture.other-syncs",
      `select distinct c.sync_name from bucardo.subscription s join bucardo.checkpoint c using (sync, target) where s.captured_table = $1 and s.sync <> $2`,
      [row.id, request.sync],
    ),
  );
  if (others.length > 0) {
    throw new BucardoError(
      "schema-mismatch",
      `the key of ${displayName(tree)} is captured as (${row.key_columns.join(", ")}) for sync ${others.map((other) => other.sync_name).join(", ")} and has changed`,
      {
        db: source.name,
        table: displayName(tree),
        advice: `Remove the table from these syncs, or validate them all after the change of the key; their targets then need a copy of the table.`,
      },
    );
  }
}

/** A delta table of its own for each generation; the functions decide which one is written to. */
export async function createGeneration(source: Session, captured: Captured): Promise<void> {
  await source.script(sql("capture.create-delta-table", deltaTableText(captured)));
  await source.execute(
    sql("capture.add-generation", "insert into bucardo.generation (captured_table, generation, delta) values ($1, $2, $3::regclass)", [
      captured.id,
      captured.generation,
      quoteName(deltaTable(captured.id, captured.generation)),
    ]),
  );
  if (await usesCaptureRole(source)) {
    await source.script(
      sql("capture.grant-delta-table", `grant insert on ${quoteName(deltaTable(captured.id, captured.generation))} to ${CAPTURE_ROLE}`),
    );
  }
}

/** Refuses on a fenced source: its functions must stay as the cutover left them (hazard 11). */
export async function createFunctions(source: Session, captured: Captured): Promise<void> {
  const { fence } = await source.one<{ fence: string }>(sql("capture.fence", "select fence from bucardo.capture"));
  if (fence !== "open")
    throw new BucardoError("in-use", `capture on ${source.name} is fenced by a cutover`, {
      db: source.name,
      advice: "Finish or abort the cutover first.",
    });
  const owned = await usesCaptureRole(source);
  for (const event of eventsOf(captured.variant)) {
    const owner = owned ? `\nalter function ${quoteName(functionName(captured.id, event))}() owner to ${CAPTURE_ROLE};` : "";
    await source.script(sql("capture.create-function", functionText(captured, event) + owner));
  }
}

/** `again`: deltas under the old key are gone, so the targets need the whole table. */
async function subscribe(source: Session, captured: number, request: TableRequest, again: boolean): Promise<void> {
  await source.execute(
    sql(
      "capture.subscribe",
      `insert into bucardo.subscription (sync, target, captured_table, recopy)
       select $1, t, $2, $4 or t = any ($5::text[]) from unnest($3::text[]) t on conflict do nothing`,
      [request.sync, captured, request.targets, again, request.owedCopy ?? []],
    ),
  );
}

/** Takes triggers, functions and delta tables of one captured table away, with what was said about it. Errors: lock-timeout. */
export async function dropCaptured(source: Session, id: number, lockTimeoutMs: number): Promise<void> {
  await dropTriggers(source, id, lockTimeoutMs);
  const generations = await source.query<{ generation: number }>(
    sql("capture.generations", "select generation from bucardo.generation where captured_table = $1", [id]),
  );
  for (const { generation } of generations)
    await source.script(sql("capture.drop-delta-table", `drop table if exists ${quoteName(deltaTable(id, generation))}`));
  await source.execute(sql("capture.forget-truncations", "delete from bucardo.truncation where captured_table = $1", [id]));
  await source.execute(sql("capture.forget-subscriptions", "delete from bucardo.subscription where captured_table = $1", [id]));
  await source.execute(sql("capture.forget-table", "delete from bucardo.captured_table where id = $1", [id]));
}
