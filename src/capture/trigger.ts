import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { type Captured, triggerTexts } from "./function-text.ts";
import { captureEvents, functionName } from "./name.ts";
import type { Part, Tree } from "./tree.ts";

/** Adds the triggers that a part lacks; a disabled one is an error, because somebody did that on purpose. */
export async function ensureTriggers(source: Session, tree: Tree, captured: Captured): Promise<void> {
  const there = await source.query<{ relation: number; name: string; enabled: string }>(
    sql(
      "capture.triggers",
      `select t.tgrelid as relation, t.tgname as name, t.tgenabled as enabled
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
  for (const part of tree.parts)
    await addTriggers(
      source,
      captured,
      part,
      part.oid === tree.oid,
      new Set(there.filter((trigger) => trigger.relation === part.oid).map((trigger) => trigger.name)),
    );
}

async function addTriggers(source: Session, captured: Captured, part: Part, isRoot: boolean, there: ReadonlySet<string>): Promise<void> {
  for (const text of triggerTexts(captured, part, isRoot)) {
    const name = /^create trigger (\S+) /.exec(text)?.[1] ?? "";
    if (!there.has(name)) await source.script(sql("capture.create-trigger", text));
  }
}

/** Takes the triggers and functions of one captured table away. Waits under the caller's lock timeout. */
export async function dropTriggers(source: Session, id: number): Promise<void> {
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
  for (const { schema, name, trigger } of triggers) {
    // The owner of the table may have given it any name.
    await source.script(sql("capture.drop-trigger", `drop trigger ${quoteIdent(trigger)} on ${quoteName({ schema, name })}`));
  }
  for (const event of captureEvents) {
    await source.script(sql("capture.drop-function", `drop function if exists ${quoteName(functionName(id, event))}()`));
  }
}
