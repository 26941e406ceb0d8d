import { groupBy } from "../base/group-by.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, sql, type Statement } from "../postgres/sql.ts";
import { refuseHeld } from "./blocker.ts";
import { type Captured, triggerTexts } from "./function-text.ts";
import { captureEvents, functionName, triggerName } from "./name.ts";
import { changesRows } from "./shape.ts";
import type { Part, Tree } from "./tree.ts";

/** What a part of a captured table lacks, as text. */
export type MissingTriggers = { readonly part: Part; readonly text: string };

/** Parts that lack triggers, root first; a disabled one is an error, because somebody did that on purpose. Errors: schema-mismatch. */
export async function missingTriggers(source: Session, tree: Tree, captured: Captured): Promise<MissingTriggers[]> {
  const there = await source.query<{ relation: number; name: string; enabled: string; named: boolean }>(
    sql(
      "capture.triggers",
      `select t.tgrelid as relation, t.tgname as name, t.tgenabled as enabled, t.tgattr::text <> '' as named
         from pg_trigger t join pg_proc p on p.oid = t.tgfoid join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'bucardo' and p.proname like 'capture\\_' || $2 || '\\_%' and t.tgrelid = any ($1::oid[])`,
      [tree.parts.map((part) => part.oid), String(captured.id)],
    ),
  );
  const disabled = there.find((trigger) => trigger.enabled === "D");
  if (disabled !== undefined) {
    throw new BucardoError("schema-mismatch", `trigger ${disabled.name} of ${displayName(tree)} is disabled: changes are not captured`, {
      db: source.name,
      table: displayName(tree),
      advice: `alter table ${quoteName(tree)} enable trigger ${quoteIdent(disabled.name)}; the target then needs a copy of the table.`,
    });
  }
  const unnamed = captured.variant === "statement" && (await keyChangesUnnamed(source, tree, captured));
  const key = triggerName(captured.id, "key");
  const blind = unnamed && there.some(({ name, named }) => name === key && named);
  const byPart = groupBy(there, ({ relation }) => relation);
  return tree.parts
    .map((part) => {
      const names = new Set((byPart.get(part.oid) ?? []).map(({ name }) => name).filter((name) => !(blind && name === key)));
      const texts = triggerTexts(captured, part, part.oid === tree.oid, unnamed).filter((text) => !names.has(nameIn(text)));
      return { part, text: [...(blind ? [`drop trigger ${key} on ${quoteName(part)}`] : []), ...texts].join("; ") };
    })
    .filter(({ text }) => text !== "");
}

/** Waits for locks for `lockTimeoutMs` in all, and not at all behind older transactions. Errors: lock-timeout. */
export async function addTriggers(source: Session, missing: readonly MissingTriggers[], lockTimeoutMs: number): Promise<void> {
  for (const { part } of missing) await refuseHeld(source, part, "create trigger", lockTimeoutMs);
  await withinPatience(
    source,
    "capture.create-trigger",
    missing.map(({ text }) => text),
    lockTimeoutMs,
  );
}

function nameIn(text: string): string {
  return /^create trigger (\S+) /.exec(text)?.[1] ?? "";
}

/** Whether an UPDATE can change a key without naming one of its columns: a BEFORE trigger may, be it enabled or not, and a generated column does. */
async function keyChangesUnnamed(source: Session, tree: Tree, { key }: Captured): Promise<boolean> {
  const { unnamed } = await source.one<{ unnamed: boolean }>(
    prepared(
      "capture.key-unnamed",
      `select exists (select from pg_trigger t where t.tgrelid = $1 and ${changesRows("t")})
              or exists (select from pg_attribute a where a.attrelid = $1 and a.attname = any ($2) and ${source.serverVersion >= 120000 ? "a.attgenerated <> ''" : "false"}) as unnamed`,
      [tree.oid, key.map(({ name }) => name)],
    ),
  );
  return unnamed;
}

/** Statements that need a lock each, in the caller's transaction; each may wait as long as is left of the whole. */
async function withinPatience(source: Session, name: string, texts: readonly string[], lockTimeoutMs: number): Promise<void> {
  if (texts.length === 0) return;
  const end = performance.now() + lockTimeoutMs;
  for (const text of texts) {
    const left = Math.max(1, Math.trunc(end - performance.now()));
    await source.script(sql(name, `set local lock_timeout = ${left}; ${text}`));
  }
  await source.execute(lockTimeoutStatement(lockTimeoutMs));
}

/** For the rest of the transaction. */
export function lockTimeoutStatement(lockTimeoutMs: number): Statement {
  return sql("capture.lock-timeout", `set local lock_timeout = ${Math.trunc(lockTimeoutMs)}`);
}

/** Takes the triggers and functions of one captured table away; waits as addTriggers does. Errors: lock-timeout. */
export async function dropTriggers(source: Session, id: number, lockTimeoutMs: number): Promise<void> {
  const triggers = await source.query<{ schema: string; name: string; trigger: string }>(
    sql(
      "capture.triggers-of",
      `select n.nspname as schema, c.relname as name, t.tgname as trigger
         from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
         join pg_proc p on p.oid = t.tgfoid join pg_namespace pn on pn.oid = p.pronamespace
        where pn.nspname = 'bucardo' and p.proname like 'capture\\_' || $1 || '\\_%' and not t.tgisinternal
        order by n.nspname, c.relname, t.tgname`,
      [String(id)],
    ),
  );
  const tables = new Map(triggers.map(({ schema, name }) => [displayName({ schema, name }), { schema, name }]));
  for (const table of tables.values()) await refuseHeld(source, table, "drop trigger", lockTimeoutMs);
  // The owner of the table may have given a trigger any name.
  const texts = triggers.map(({ schema, name, trigger }) => `drop trigger ${quoteIdent(trigger)} on ${quoteName({ schema, name })}`);
  await withinPatience(source, "capture.drop-trigger", texts, lockTimeoutMs);
  for (const event of captureEvents) {
    await source.script(sql("capture.drop-function", `drop function if exists ${quoteName(functionName(id, event))}()`));
  }
}
