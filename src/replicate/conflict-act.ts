import { deltaTable } from "../capture/name.ts";
import { quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { CONFLICTS, keyOfStage, type Meeting } from "./conflict-find.ts";
import { readGenerations, stageColumn } from "./relay.ts";
import type { TableLink } from "./table-link.ts";

type Kind = "row" | "unique";

/**
 * What arrives gives way. Of a row changed on both sides nothing more is to do, as its change here waits for the source. Of two rows with one unique
 * value the one that arrived must go at the source too, or become what it is here: so it is said that it changed here.
 */
export async function applyLocalWins(session: Session, meeting: Meeting, kind: Kind): Promise<void> {
  const { stage } = meeting.fetched;
  const lost = `select c.stage_row from ${CONFLICTS} c where ${of(meeting, kind)} and c.winner <> 'incoming'`;
  if (kind === "unique") {
    await sayChanged(session, meeting, `select s.* from ${stage} s where s.ctid in (${lost} and c.winner = 'local')`);
    await goAsBothLost(session, meeting, `s.ctid in (${lost})`);
  }
  if (kind === "row")
    await forgetHere(session, meeting, `select s.* from ${stage} s where s.ctid in (${lost} and c.winner = 'none')`, true);
  await session.execute(sql("replicate.local-wins", `delete from ${stage} s where s.ctid in (${lost})`));
}

/** A row that lost as it is here, and then as the source has it too: no version of it can stay, so it goes on both sides. */
async function goAsBothLost(session: Session, meeting: Meeting, lost: string): Promise<void> {
  const { stage, link } = meeting.fetched;
  const before = `select c.local_key from ${CONFLICTS} c where c.captured = ${meeting.fetched.plan.table.captured} and c.kind = 'unique' and c.winner = 'incoming' and c.closed`;
  const rows = `${lost} and ${keyOfStage(link)} in (${before})`;
  await sayChanged(session, meeting, `select s.* from ${stage} s where ${rows}`);
  await session.execute(sql("replicate.both-lost", `update ${stage} s set gone = true where ${rows}`));
}

/** Those of a table that were decided and acted upon. Later ones are about what is left. */
export async function closeUnique(session: Session, { fetched }: Meeting): Promise<void> {
  const text = `update ${CONFLICTS} set closed = true where captured = ${fetched.plan.table.captured} and kind = 'unique'`;
  await session.execute(sql("replicate.close-unique", text));
}

/** What is here gives way: its change is not sent any more. */
export async function applyIncomingWins(session: Session, meeting: Meeting, kind: Kind): Promise<void> {
  if (kind === "unique") return await forgetHere(session, meeting, losersText(meeting), false);
  const won = `select c.stage_row from ${CONFLICTS} c where ${of(meeting, kind)} and c.winner = 'incoming'`;
  await forgetHere(session, meeting, `select s.* from ${meeting.fetched.stage} s where s.ctid in (${won})`, false);
}

/** Keys of rows here that had to give way to others, in the columns of the stage. */
function losersText(meeting: Meeting): string {
  const { link } = meeting.fetched;
  const columns = link.target.key.map(({ name }, index) => {
    const column = stageColumn(link, name);
    return `c.local_key[${index + 1}]::${link.columns[Number(column.slice(1)) - 1]!.stageType} as ${column}`;
  });
  return `select distinct ${columns.join(", ")} from ${CONFLICTS} c where ${of(meeting, "unique")} and c.winner = 'incoming'`;
}

function of({ fetched }: Meeting, kind: Kind): string {
  return `c.captured = ${fetched.plan.table.captured} and c.kind = '${kind}' and not c.closed`;
}

/** These rows have not changed here, as far as the source is concerned. `again`: others hear of them all the same. */
async function forgetHere(session: Session, { fetched, reverse, source }: Meeting, rows: string, again: boolean): Promise<void> {
  const { link } = fetched;
  if (reverse === null) return;
  const columns = reverse.key.map((name) => stageColumn(link, name));
  const same = reverse.key.map((name, index) => `d.k${index + 1} ${equalsOf(link, name)} s.${columns[index]}`).join(" and ");
  const generations = await readGenerations(session, [link]);
  for (const generation of reverse.generations) {
    const delta = quoteName(deltaTable(reverse.captured, generation));
    await session.execute(sql("replicate.forget-here", `delete from ${delta} d using (${rows}) s where ${same}`));
  }
  if (!again) return;
  const now = quoteName(deltaTable(reverse.captured, generations.get(reverse.captured) ?? 1));
  const keys = reverse.key.map((_, index) => `k${index + 1}`).join(", ");
  await session.execute(
    sql(
      "replicate.note-skipped",
      `insert into ${now} (xid, ${keys}, at, via)
  select txid_current(), ${columns.map((column) => `s.${column}`).join(", ")}, clock_timestamp(), array[${quoteLiteral(source)}::text] from (${rows}) s`,
    ),
  );
}

/** The source gets these keys as they are here: a row that it has and we do not, or have otherwise. */
export async function sayChanged(session: Session, { fetched }: Pick<Meeting, "fetched">, rows: string): Promise<void> {
  const { link } = fetched;
  const generations = await readGenerations(session, [link]);
  for (const { captured, key } of link.relays) {
    const delta = quoteName(deltaTable(captured, generations.get(captured) ?? 1));
    const text = `insert into ${delta} (xid, ${key.map((_, index) => `k${index + 1}`).join(", ")})
  select txid_current(), ${key.map((name) => `s.${stageColumn(link, name)}`).join(", ")} from (${rows}) s`;
    await session.execute(sql("replicate.say-changed", text));
  }
}

function equalsOf(link: TableLink, name: string): string {
  return link.target.key.find((each) => each.name === name)?.equals ?? "=";
}
