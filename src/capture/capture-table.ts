import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, sql, type Statement } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { type Captured, deltaTableText, eventsOf, functionText } from "./function-text.ts";
import { type KeyColumn, keyColumnsOf, keyColumnsStatement } from "./key-column.ts";
import { CAPTURE_ROLE, deltaTable, functionName } from "./name.ts";
import { lockStatement } from "./schema.ts";
import { chooseVariant, treeOf, treeStatement, type Tree, type Variant } from "./tree.ts";
import { addTriggers, dropTriggers, lockTimeoutStatement, missingTriggers } from "./trigger.ts";

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

type CapturedRow = {
  id: number;
  key_columns: string[];
  key_types: string[];
  variant: Variant;
  notify: boolean;
  generation: number;
  stamped: boolean;
};

/**
 * Makes one table captured and subscribed, with a lock timeout; a partition tree part by part, each in a transaction of its own, so that nobody's lock is held
 * while we wait for another's. What is there and right stays untouched, so that a second sync over the same table takes no lock on it. A tree that is broken off
 * is captured in part and no run has joined it; the same call finishes it. Errors: lock-timeout, schema-mismatch, not-supported.
 */
export async function captureTable(source: Session, request: TableRequest): Promise<void> {
  const open = await transaction(source, {}, async () => {
    const tree = await lookAt(source, request);
    const known = await whatIsKnown(source, tree, request);
    const { captured, again, changed } = await ensureCaptured(source, tree, known, request);
    // Before the triggers of a tree: what somebody subscribes to is not taken away as unneeded.
    await subscribe(source, captured.id, request, again);
    const missing = await missingTriggers(source, tree, captured);
    // Runs that know the table already must not see it without the triggers it had.
    if (tree.parts.length > 1 && !changed) return missing;
    await addTriggers(source, missing, request.lockTimeoutMs);
    return [];
  });
  for (const part of open) {
    await transaction(source, {}, async () => {
      await source.batch([lockStatement(), lockTimeoutStatement(request.lockTimeoutMs)]);
      await addTriggers(source, [part], request.lockTimeoutMs);
    });
  }
}

/** Each table costs some round trips; of five thousand tables that is what takes the time. */
async function lookAt(source: Session, request: TableRequest): Promise<Tree> {
  const [, , found] = await source.batch([lockStatement(), lockTimeoutStatement(request.lockTimeoutMs), treeStatement(request.table)]);
  const tree = treeOf(found!.rows);
  if (tree !== null) return tree;
  throw new BucardoError("schema-mismatch", `table ${displayName(request.table)} does not exist on ${source.name}`, {
    db: source.name,
    table: displayName(request.table),
  });
}

type Known = {
  readonly key: KeyColumn[];
  readonly row: CapturedRow | undefined;
  readonly gone: readonly number[];
  readonly state: CaptureState;
};

async function whatIsKnown(source: Session, tree: Tree, request: TableRequest): Promise<Known> {
  const [columns, rows, gone, state] = await source.batch([
    keyColumnsStatement(source, tree.oid, request.key),
    prepared(
      "capture.find-table",
      "select id, key_columns, key_types, variant, notify, generation, stamped from bucardo.captured_table where relation = $1",
      [tree.oid],
    ),
    // A table of this name was captured, dropped and made again: nobody can read what is left of it.
    prepared(
      "capture.dropped-tables",
      `select t.id from bucardo.captured_table t
        where t.schema_name = $1 and t.table_name = $2 and not exists (select from pg_class c where c.oid = t.relation)`,
      [tree.schema, tree.name],
    ),
    captureStateStatement(),
  ]);
  return {
    key: keyColumnsOf(source, request.key, columns!.rows),
    row: (rows!.rows as readonly CapturedRow[])[0],
    gone: (gone!.rows as readonly { id: number }[]).map(({ id }) => id),
    state: (state!.rows as readonly CaptureState[])[0]!,
  };
}

async function ensureCaptured(
  source: Session,
  tree: Tree,
  { key, row, gone, state }: Known,
  request: TableRequest,
): Promise<{ captured: Captured; again: boolean; changed: boolean }> {
  const variant = chooseVariant(tree, source.serverVersion);
  const columns = key.map((column) => column.name);
  const types = key.map((column) => column.type);
  if (row !== undefined && sameList(row.key_columns, columns) && sameList(row.key_types, types)) {
    const captured: Captured = {
      id: row.id,
      generation: row.generation,
      variant,
      notify: row.notify || request.notify,
      stamped: row.stamped,
      key,
    };
    if (variant !== row.variant) await changeVariant(source, captured, request.lockTimeoutMs);
    if (captured.notify !== row.notify) {
      await source.execute(sql("capture.set-notify", "update bucardo.captured_table set notify = true where id = $1", [row.id]));
      await createFunctions(source, captured);
    }
    return { captured, again: false, changed: variant !== row.variant };
  }
  if (row !== undefined) {
    await refuseWhenOthersCount(source, row, tree, request);
    await dropCaptured(source, row.id, request.lockTimeoutMs);
  }
  for (const id of gone) await dropCaptured(source, id, request.lockTimeoutMs);
  refuseFenced(source, state);
  const { id } = await source.one<{ id: number }>(
    prepared(
      "capture.add-table",
      `insert into bucardo.captured_table (relation, schema_name, table_name, key_columns, key_types, variant, notify)
       values ($1, $2, $3, $4, $5, $6, $7) returning id`,
      [tree.oid, tree.schema, tree.name, columns, types, variant, request.notify],
    ),
  );
  const captured: Captured = { id, generation: 1, variant, notify: request.notify, stamped: false, key };
  await source.script(sql("capture.begin-table", `${generationText(captured, state.owned)};\n${functionsText(captured, state.owned)}`));
  return { captured, again: row !== undefined, changed: false };
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
  const { owned } = await readState(source);
  await source.script(sql("capture.create-delta-table", generationText(captured, owned)));
}

function generationText(captured: Captured, owned: boolean): string {
  const delta = quoteName(deltaTable(captured.id, captured.generation));
  const grant = owned ? `;\ngrant insert on ${delta} to ${CAPTURE_ROLE}` : "";
  return `${deltaTableText(captured)};
insert into bucardo.generation (captured_table, generation, delta) values (${captured.id}, ${captured.generation}, ${quoteLiteral(delta)})${grant}`;
}

/** Refuses on a fenced source: its functions must stay as the cutover left them (hazard 11). */
export async function createFunctions(source: Session, captured: Captured): Promise<void> {
  const state = await readState(source);
  refuseFenced(source, state);
  await source.script(sql("capture.create-functions", functionsText(captured, state.owned)));
}

function functionsText(captured: Captured, owned: boolean): string {
  return eventsOf(captured.variant)
    .map((event) => {
      const owner = owned ? `\nalter function ${quoteName(functionName(captured.id, event))}() owner to ${CAPTURE_ROLE};` : "";
      return functionText(captured, event) + owner;
    })
    .join("\n");
}

/** `owned`: the trigger functions belong to the role that can only add deltas. */
type CaptureState = { readonly fence: string; readonly owned: boolean };

async function readState(source: Session): Promise<CaptureState> {
  return await source.one<CaptureState>(captureStateStatement());
}

function captureStateStatement(): Statement {
  return prepared(
    "capture.state",
    `select c.fence, r.rolsuper and to_regrole('${CAPTURE_ROLE}') is not null as owned
       from bucardo.capture c, pg_roles r where r.rolname = current_user`,
  );
}

function refuseFenced(source: Session, { fence }: CaptureState): void {
  if (fence === "open") return;
  throw new BucardoError("in-use", `capture on ${source.name} is fenced by a cutover`, {
    db: source.name,
    advice: "Finish or abort the cutover first.",
  });
}

/** `again`: deltas under the old key are gone, so the targets need the whole table. */
async function subscribe(source: Session, captured: number, request: TableRequest, again: boolean): Promise<void> {
  await source.execute(
    prepared(
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
