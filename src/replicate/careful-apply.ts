import { displayName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { deleteAllText, deletePartsText, deleteStagedText, insertText } from "./apply-text.ts";
import type { Careful } from "./careful.ts";
import { refuseRow, type Refusal } from "./careful-row.ts";
import { inTable, isDataFault } from "./data-fault.ts";
import type { Fetched } from "./fetch.ts";
import { makeRoom } from "./make-room.ts";
import type { Member } from "./member.ts";
import { oneRow, sift } from "./sift.ts";
import type { TableLink } from "./table-link.ts";

/**
 * Applies the staged rows of a table of which some will be refused. All pending keys go before any comes back, as one value may wander from row to row.
 * A row that is set aside must not have gone: what it was on the target stays, so all is taken back and done again without it, until no row is refused.
 */
export async function applyCarefully(source: Session, target: Member, fetched: Fetched, careful: Careful): Promise<TableCounts> {
  const { plan, link, stage } = fetched;
  const table = displayName(link.name);
  try {
    for (;;) {
      await target.session.execute(sql("replicate.save-careful", "savepoint bucardo_careful"));
      const refused: string[] = [];
      const counts = await applyOnce(source, target, fetched, careful, refused);
      if (refused.length === 0) return { table, refilled: plan.action !== "keys", ...counts };
      await leaveOut(target.session, [{ stage: stage!, ctids: refused }]);
    }
  } catch (error) {
    throw inTable(error, table);
  }
}

/** Back to before anything was applied, and without these rows of the stages. */
export async function leaveOut(
  target: Session,
  refused: readonly { readonly stage: string; readonly ctids: readonly string[] }[],
): Promise<void> {
  const texts = refused.map(({ stage, ctids }) => {
    const places = ctids.map((ctid) => `"${ctid}"`).join(",");
    return `delete from ${stage} where ctid = any ('{${places}}'::tid[])`;
  });
  await target.script(sql("replicate.leave-out", ["rollback to savepoint bucardo_careful", ...texts].join(";\n")));
}

async function applyOnce(
  source: Session,
  target: Member,
  fetched: Fetched,
  careful: Careful,
  refused: string[],
): Promise<{ upserted: number; deleted: number }> {
  const { plan, link } = fetched;
  const stage = fetched.stage!;
  const { session } = target;
  const rows = { session, rows: stage, isFault: faultOf(link), signal: careful.signal };
  const refuse = async (ctid: string, error: unknown): Promise<number> => {
    refuseRow(await refusalOf(target, fetched, careful, ctid, error));
    refused.push(ctid);
    return 0;
  };
  let deleted = 0;
  if (plan.gone.length > 0) deleted += await session.execute(sql("replicate.delete-parts", deletePartsText(link, plan.gone)));
  if (plan.action !== "keys") deleted += await session.execute(sql("replicate.delete-all", deleteAllText(link)));
  else deleted += await sift({ ...rows, text: (part) => deleteStagedText(link, part), onFault: refuse });
  // A row that could not be deleted is in its own way now; it is found by the next round, without it.
  if (refused.length > 0) return { upserted: 0, deleted };
  const upserted = await sift({
    ...rows,
    text: (part) => insertText(link, part),
    onFault: async (ctid, error) =>
      careful.policy === "overwrite"
        ? makeRoom(source, await refusalOf(target, fetched, careful, ctid, error), stage, ctid)
        : refuse(ctid, error),
  });
  return { upserted, deleted };
}

function faultOf(link: TableLink): (error: unknown) => boolean {
  return (error) => isDataFault(inTable(error, displayName(link.name)));
}

export async function refusalOf(
  target: Member,
  { plan, link, stage }: Fetched,
  careful: Careful,
  ctid: string,
  error: unknown,
): Promise<Refusal> {
  const { captured, setAside: held } = plan.table;
  return { careful, target, link, captured, held, key: await readStagedKey(target.session, link, stage!, ctid), column: null, error };
}

async function readStagedKey(target: Session, link: TableLink, stage: string, ctid: string): Promise<string[]> {
  const columns = link.source.key.map((_, position) => link.columns.findIndex((column) => column.keyPosition === position));
  const { key } = await target.one<{ key: string[] }>(
    sql(
      "replicate.staged-key",
      `select array[${columns.map((index) => `s.c${index + 1}::text`).join(", ")}] as key from ${oneRow(stage, ctid)} s`,
    ),
  );
  return key;
}
