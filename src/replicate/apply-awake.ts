import { BucardoError, type Problem } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import { sqlstateOf, toBucardoError } from "../postgres/failure.ts";
import { sql } from "../postgres/sql.ts";
import { deleteGoneText, deleteOthersText, deletePartsText, upsertText } from "./apply-text.ts";
import { inTable } from "./data-fault.ts";
import type { Fetched } from "./fetch.ts";
import type { Member } from "./member.ts";
import type { TableLink } from "./table-link.ts";

const REMEDY = "Connect there as superuser, or (15 and later) grant set on parameter session_replication_role to the user.";

export const ROLE_ADVICE = `Rows that take each other's place, and foreign keys in a circle that are not deferrable, need the replica role. ${REMEDY}`;

/** Foreign key, unique and exclusion violations: another order of the same statements may get around them. */
export const IN_THE_WAY = new Set(["23503", "23505", "23P01"]);

/** What fires, and what only the replica role can write safely: told before a row moves. Errors: not-supported with all problems. */
export function refuseAwake(target: Member, links: readonly TableLink[]): void {
  const problems = links.flatMap((link) =>
    link.awake.map(({ what, remedy }): Problem => ({
      grade: "error",
      db: target.session.name,
      table: displayName(link.name),
      what,
      remedy: remedy ?? REMEDY,
    })),
  );
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  throw new BucardoError(
    "not-supported",
    `our user on ${target.session.name} may not set session_replication_role, and table ${first.table} ${first.what}${more}`,
    { db: target.session.name, ...(first.table !== undefined && { table: first.table }), advice: first.remedy, problems },
  );
}

/**
 * Without the replica role foreign keys are awake: a DELETE of a parent that is only replaced would cascade to its children, which no delta brings
 * back (hazard 9). So rows are only ever deleted when the source does not have them, children first, and written in place, parents first.
 * Deletions come before, so that unique values they held are free; where a foreign key forbids that (a parent's key changed), they come last.
 */
export async function applyAwake(target: Member, fetched: readonly Fetched[]): Promise<TableCounts[]> {
  const order = parentsFirst(fetched);
  try {
    return await attempt(target, order, "deletions first");
  } catch (error) {
    if (!IN_THE_WAY.has(sqlstateOf(error) ?? "")) throw error;
  }
  try {
    return await attempt(target, order, "deletions last");
  } catch (error) {
    const failure = toBucardoError(error, { db: target.session.name });
    if (!IN_THE_WAY.has(failure.details.sqlstate ?? "")) throw failure;
    throw new BucardoError(failure.code, failure.message, {
      ...failure.details,
      advice: ROLE_ADVICE,
    });
  }
}

async function attempt(target: Member, order: readonly Fetched[], way: "deletions first" | "deletions last"): Promise<TableCounts[]> {
  const { session } = target;
  await session.script(sql("replicate.save-awake", "savepoint bucardo_awake; set constraints all deferred"));
  try {
    const deleted = new Map<Fetched, number>();
    const upserted = new Map<Fetched, number>();
    const remove = async () => {
      for (const each of order.toReversed()) deleted.set(each, await count(target, each, deletions(each)));
    };
    if (way === "deletions first") await remove();
    for (const each of order) upserted.set(each, await count(target, each, [upsertText(each.link, each.stage!)]));
    if (way === "deletions last") await remove();
    await session.script(sql("replicate.release-awake", "set constraints all immediate; release savepoint bucardo_awake"));
    return order.map((each) => ({
      table: displayName(each.link.name),
      upserted: upserted.get(each) ?? 0,
      deleted: deleted.get(each) ?? 0,
      refilled: each.plan.action !== "keys",
    }));
  } catch (error) {
    if (!session.lost.aborted)
      await session.script(sql("replicate.undo-awake", "rollback to savepoint bucardo_awake")).catch(() => undefined);
    throw error;
  }
}

function deletions({ plan, link, stage }: Fetched): string[] {
  return [
    ...(plan.gone.length > 0 ? [deletePartsText(link, plan.gone)] : []),
    plan.action === "keys" ? deleteGoneText(link, stage!) : deleteOthersText(link, stage!),
  ];
}

async function count(target: Member, { link }: Fetched, texts: readonly string[]): Promise<number> {
  try {
    const counts = await target.session.script(sql("replicate.apply-awake", texts.join(";\n")));
    return counts.reduce((sum, each) => sum + each, 0);
  } catch (error) {
    throw inTable(error, displayName(link.name));
  }
}

/** Tables that others refer to come first. A circle begins somewhere: its constraints must be deferrable, else the server says which one it breaks. */
export function parentsFirst(fetched: readonly Fetched[]): Fetched[] {
  const left = new Map(fetched.map((each) => [displayName(each.link.target.name), each]));
  const order: Fetched[] = [];
  while (left.size > 0) {
    const free = [...left].filter(([name, each]) => each.link.refersTo.every((parent) => parent === name || !left.has(parent)));
    for (const [name, each] of free.length > 0 ? free : [...left].slice(0, 1)) {
      order.push(each);
      left.delete(name);
    }
  }
  return order;
}
