import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import { sqlstateOf, toBucardoError } from "../postgres/failure.ts";
import { sql } from "../postgres/sql.ts";
import {
  deleteAllText,
  deleteGoneText,
  deleteOthersText,
  deletePartsText,
  deleteStagedText,
  insertText,
  upsertText,
} from "./apply-text.ts";
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
    ...(plan.action === "refill" ? [deleteAllText(link)] : []),
  ];
  const replace = [...before, deleteStagedText(link, stage), insertText(link, stage)];
  const upsert = [...before, deleteGoneText(link, stage), upsertText(link, stage)];
  const refilled = plan.action !== "keys";
  try {
    if (link.strategy === "replace") return { table, refilled, ...(await applyWith(target, replace)) };
    return { table, refilled, ...(await applyWith(target, upsert)) };
  } catch (error) {
    if (link.strategy === "replace" || !IN_THE_WAY.has(sqlstateOf(error) ?? "")) throw toBucardoError(error, { table });
  }
  // All pending keys of the table go before any comes back: within a part of them a value could still stand in the way (hazard 14).
  try {
    return { table, refilled, ...(await applyWith(target, replace)) };
  } catch (error) {
    throw toBucardoError(error, { table });
  }
}

/** All statements in one round trip under a savepoint; the last one inserts, those before delete. */
async function applyWith(target: Member, statements: readonly string[]): Promise<{ upserted: number; deleted: number }> {
  try {
    const counts = await target.session.script(sql("replicate.apply", [SAVE, ...statements, RELEASE].join(";\n")));
    const changed = counts.slice(1, -1);
    return { upserted: changed.at(-1) ?? 0, deleted: changed.slice(0, -1).reduce((sum, count) => sum + count, 0) };
  } catch (error) {
    if (!target.session.lost.aborted) await target.session.script(sql("replicate.undo-table", UNDO)).catch(() => undefined);
    throw error;
  }
}

/**
 * Without the replica role foreign keys are awake: a DELETE of a parent that is only replaced would cascade to its children, which no delta brings
 * back (hazard 9). So rows are only ever deleted when the source does not have them, children first, and written in place, parents first.
 */
export async function applyAwake(target: Member, fetched: readonly Fetched[]): Promise<TableCounts[]> {
  const order = parentsFirst(fetched);
  const deleted = new Map<Fetched, number>();
  for (const each of order.toReversed()) {
    const { plan, link, stage } = each;
    if (stage === null || link.strategy === "replace") {
      throw new BucardoError(
        "not-supported",
        `${displayName(link.name)} can only be applied with session_replication_role = replica on ${target.session.name}`,
        {
          db: target.session.name,
          table: displayName(link.name),
          advice: "Connect there as superuser, or (15 and later) grant set on parameter session_replication_role to the user.",
        },
      );
    }
    const texts = [
      ...(plan.gone.length > 0 ? [deletePartsText(link, plan.gone)] : []),
      plan.action === "keys" ? deleteGoneText(link, stage) : deleteOthersText(link, stage),
    ];
    deleted.set(each, await countAll(target, each, texts));
  }
  const counts: TableCounts[] = [];
  for (const each of order) {
    const upserted = await countAll(target, each, [upsertText(each.link, each.stage!)]);
    counts.push({ table: displayName(each.link.name), upserted, deleted: deleted.get(each) ?? 0, refilled: each.plan.action !== "keys" });
  }
  return counts;
}

async function countAll(target: Member, { link }: Fetched, texts: readonly string[]): Promise<number> {
  try {
    const counts = await target.session.script(sql("replicate.apply-awake", texts.join(";\n")));
    return counts.reduce((sum, count) => sum + count, 0);
  } catch (error) {
    throw toBucardoError(error, { table: displayName(link.name) });
  }
}

/** Tables that others refer to come first; a circle is left in the order given, and the server then says which constraint it breaks. */
function parentsFirst(fetched: readonly Fetched[]): Fetched[] {
  const left = new Map(fetched.map((each) => [displayName(each.link.name), each]));
  const order: Fetched[] = [];
  while (left.size > 0) {
    const free = [...left].filter(([name, each]) => each.link.refersTo.every((parent) => parent === name || !left.has(parent)));
    for (const [name, each] of free.length > 0 ? free : [...left]) {
      order.push(each);
      left.delete(name);
    }
  }
  return order;
}
