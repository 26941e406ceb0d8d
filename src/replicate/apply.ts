import { displayName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import { sql, type Statement } from "../postgres/sql.ts";
import { deleteAllText, deleteGoneText, deletePartsText, deleteStagedText, insertText, upsertText } from "./apply-text.ts";
import { inTable } from "./data-fault.ts";
import type { Fetched } from "./fetch.ts";
import type { Member } from "./member.ts";

/** unique_violation and exclusion_violation: values that wander between rows stand in each other's way while rows are changed one after another. */
const IN_THE_WAY = new Set(["23505", "23P01"]);

const SAVE = "savepoint bucardo_table";
const RELEASE = "release savepoint bucardo_table";
const UNDO = "rollback to savepoint bucardo_table";

/** Applies the staged rows of one table with triggers and rules silent. Errors: data-rejected and others, with the table. */
export async function applyTable(target: Member, fetched: Fetched): Promise<TableCounts> {
  const { plan, link, stage } = fetched;
  const table = displayName(link.name);
  if (stage === null) return { table, upserted: fetched.rows, deleted: 0, refilled: true };
  const before = [
    ...(plan.gone.length > 0 ? [deletePartsText(link, plan.gone)] : []),
    ...(plan.action === "keys" ? [] : [deleteAllText(link)]),
  ];
  const replace = [...before, deleteStagedText(link, stage), insertText(link, stage)];
  const upsert = [...before, deleteGoneText(link, stage), upsertText(link, stage)];
  const refilled = plan.action !== "keys";
  const first = link.strategy === "replace" ? replace : upsert;
  try {
    return { table, refilled, ...(await applyWith(target, first, fetched.fill)) };
  } catch (error) {
    if (!IN_THE_WAY.has(sqlstateOf(error) ?? "")) throw inTable(error, table);
  }
  // All pending keys of the table go before any comes back: within a part of them a value could still stand in the way (hazard 14). Where that
  // was tried already, somebody else may have inserted a key meanwhile: we waited for him, and now he is seen.
  try {
    return { table, refilled, ...(await applyWith(target, replace, null)) };
  } catch (error) {
    throw inTable(error, table);
  }
}

/** All statements in one round trip under a savepoint, which what fills the stage is not; the last one inserts, those before delete. */
async function applyWith(
  target: Member,
  statements: readonly string[],
  fill: Statement | null,
): Promise<{ upserted: number; deleted: number }> {
  try {
    const counts = await (fill === null ? inScript(target, statements) : inBatch(target, statements, fill));
    const changed = counts.slice(1, -1);
    return { upserted: changed.at(-1) ?? 0, deleted: changed.slice(0, -1).reduce((sum, count) => sum + count, 0) };
  } catch (error) {
    if (!target.session.lost.aborted) await target.session.script(sql("replicate.undo-table", UNDO)).catch(() => undefined);
    throw error;
  }
}

function inScript(target: Member, statements: readonly string[]): Promise<number[]> {
  return target.session.script(sql("replicate.apply", [SAVE, ...statements, RELEASE].join(";\n")));
}

async function inBatch(target: Member, statements: readonly string[], fill: Statement): Promise<number[]> {
  const texts = [SAVE, ...statements, RELEASE].map((text) => sql("replicate.apply", text));
  const [, ...answers] = await target.session.batch([fill, ...texts]);
  return answers.map(({ count }) => count);
}
