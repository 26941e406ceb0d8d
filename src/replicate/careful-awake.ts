import { displayName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import { sql } from "../postgres/sql.ts";
import { BucardoError } from "../model/error.ts";
import { IN_THE_WAY, parentsFirst, ROLE_ADVICE } from "./apply-awake.ts";
import { deleteGoneText, deleteOthersText, deletePartsText, upsertText } from "./apply-text.ts";
import { leaveOut, refusalOf } from "./careful-apply.ts";
import type { Careful } from "./careful.ts";
import { refuseRow } from "./careful-row.ts";
import { adviceOn, inTable, isDataFault } from "./data-fault.ts";
import type { Fetched } from "./fetch.ts";
import type { Member } from "./member.ts";
import { attempt, oneRow, sift } from "./sift.ts";

/** A row of this table is still referred to: it may go when what refers to it has. */
const REFERRED_TO = "23503";

/** The rows of each table that were refused, by their place on the stage. */
type Refused = Map<Fetched, string[]>;

/**
 * Applies staged rows of which some will be refused, without the replica role: as usual nothing goes that the source has, and constraints are looked at row by
 * row, deferrable ones too, because at the end nobody could tell whose fault it was; so rows that refer to each other in a circle count as refused. What is set
 * aside is left out from the beginning: all is taken back and done again, until no row is refused.
 */
export async function applyAwakeCarefully(target: Member, fetched: readonly Fetched[], careful: Careful): Promise<TableCounts[]> {
  const order = parentsFirst(fetched);
  const begin = sql("replicate.save-careful", "savepoint bucardo_careful; set constraints all immediate");
  for (;;) {
    await target.session.script(begin);
    const refused: Refused = new Map();
    const counts = await applyOnce(target, order, careful, refused);
    if (refused.size === 0) return counts;
    await leaveOut(
      target.session,
      [...refused].map(([{ stage }, ctids]) => ({ stage: stage!, ctids })),
    );
  }
}

async function applyOnce(target: Member, order: readonly Fetched[], careful: Careful, refused: Refused): Promise<TableCounts[]> {
  const { session } = target;
  const deleted = new Map<Fetched, number>();
  const upserted = new Map<Fetched, number>();
  const later: { each: Fetched; ctid: string }[] = [];
  const add = (counts: Map<Fetched, number>, each: Fetched, rows: number) => counts.set(each, (counts.get(each) ?? 0) + rows);
  const jobOf = (each: Fetched) => ({
    session,
    rows: each.stage!,
    isFault: (error: unknown) => isDataFault(inTable(error, displayName(each.link.name))),
    signal: careful.signal,
  });
  const refuse = async (each: Fetched, ctid: string, error: unknown): Promise<number> => {
    refuseRow(await refusalOf(target, each, careful, ctid, withRemedy(error, each, careful, session.name)));
    refused.set(each, [...(refused.get(each) ?? []), ctid]);
    return 0;
  };
  for (const each of order.toReversed()) {
    add(deleted, each, await deleteWhole(target, each));
    if (each.plan.action !== "keys") continue;
    const text = (part: string) => deleteGoneText(each.link, part);
    const onFault = async (ctid: string, error: unknown) => {
      if (sqlstateOf(error) !== REFERRED_TO) return refuse(each, ctid, error);
      later.push({ each, ctid });
      return 0;
    };
    add(deleted, each, await sift({ ...jobOf(each), text, onFault }));
  }
  for (const each of order) {
    const text = (part: string) => upsertText(each.link, part);
    add(upserted, each, await sift({ ...jobOf(each), text, onFault: (ctid, error) => refuse(each, ctid, error) }));
  }
  for (const { each, ctid } of later) {
    const job = jobOf(each);
    try {
      add(deleted, each, await attempt(session, deleteGoneText(each.link, oneRow(each.stage!, ctid))));
    } catch (error) {
      if (!job.isFault(error)) throw error;
      await refuse(each, ctid, error);
    }
  }
  return order.map((each) => ({
    table: displayName(each.link.name),
    upserted: upserted.get(each) ?? 0,
    deleted: deleted.get(each) ?? 0,
    refilled: each.plan.action !== "keys",
  }));
}

/** What may be the fault of the order of statements, which the replica role would not mind. */
function withRemedy(error: unknown, { link }: Fetched, { sync }: Careful, db: string): unknown {
  const sqlstate = sqlstateOf(error) ?? "";
  if (!IN_THE_WAY.has(sqlstate)) return error;
  const table = displayName(link.name);
  const fault = inTable(error, table);
  return new BucardoError(fault.code, fault.message, {
    ...fault.details,
    advice: `${adviceOn(sqlstate, { db, table, sync })} ${ROLE_ADVICE}`,
    cause: fault,
  });
}

/** What goes whatever the rows are: no row of ours is at fault when it cannot. */
async function deleteWhole({ session }: Member, { plan, link, stage }: Fetched): Promise<number> {
  const texts = [
    ...(plan.gone.length > 0 ? [deletePartsText(link, plan.gone)] : []),
    ...(plan.action === "keys" ? [] : [deleteOthersText(link, stage!)]),
  ];
  if (texts.length === 0) return 0;
  const counts = await session.script(sql("replicate.delete-awake", texts.join(";\n")));
  return counts.reduce((sum, count) => sum + count, 0);
}
