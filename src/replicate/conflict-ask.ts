import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { sql } from "../postgres/sql.ts";
import { CONFLICTS } from "./conflict-find.ts";
import type { Conflict, ConflictHook, ConflictPage, ConflictVerdict } from "./conflict-hook.ts";
import type { Question } from "./conflict-question.ts";

/** Conflicts that are shown to code at once. */
const PAGE = 500;

type Row = {
  place: string;
  key: string[];
  incoming_db: string;
  local_db: string;
  incoming_at: string | null;
  local_at: string | null;
  incoming_gone: boolean;
  local_gone: boolean;
};

/** What code has said for later runs too, as long as the hook lives. */
type Always = { readonly tables: Map<string, readonly string[]>; sync: readonly string[] | null };
const always = new WeakMap<ConflictHook, Map<string, Always>>();

/** Shows the conflicts of one table to code, some at a time, and notes what it says. What it leaves open stays open. */
export async function askHook(question: Question, hook: ConflictHook): Promise<void> {
  const { meeting, definition } = question;
  const table = displayName(meeting.fetched.link.name);
  const said = saidBefore(hook, definition.sync.id);
  const standing = said.tables.get(table) ?? said.sync;
  if (standing !== null) return await settleAll(question, standing, "code, for all later runs");
  for (let after: string | null = null; ;) {
    const rows: Row[] = await readPage(question, after);
    if (rows.length === 0) return;
    after = rows.at(-1)!.place;
    const verdict = await hook.decide(pageOf(question, table, rows), question.signal);
    if (verdict === null) continue;
    if (await follow(question, { table, rows, verdict, said })) return;
  }
}

function saidBefore(hook: ConflictHook, sync: string): Always {
  const syncs = always.get(hook) ?? new Map<string, Always>();
  always.set(hook, syncs);
  const said = syncs.get(sync) ?? { tables: new Map<string, readonly string[]>(), sync: null };
  syncs.set(sync, said);
  return said;
}

/** True when the rest of the table is decided too. */
async function follow(
  question: Question,
  { table, rows, verdict, said }: { table: string; rows: readonly Row[]; verdict: ConflictVerdict; said: Always },
): Promise<boolean> {
  const why = verdict.why ?? "code";
  for (const [index, winner] of verdict.winners ?? []) {
    const row = rows[index];
    if (row !== undefined) await settle(question, row.place, sideOf(question, row, [winner]), why);
  }
  if (verdict.tablewinnerAlways !== undefined) said.tables.set(table, verdict.tablewinnerAlways);
  if (verdict.syncwinnerAlways !== undefined) said.sync = verdict.syncwinnerAlways;
  const list = verdict.tablewinner ?? verdict.tablewinnerAlways ?? verdict.syncwinner ?? verdict.syncwinnerAlways;
  if (list === undefined) return false;
  await settleAll(question, list, why);
  return true;
}

async function settleAll(question: Question, list: readonly string[], why: string): Promise<void> {
  const { session } = question;
  const known = `coalesce(array_position($1::text[], incoming_db), 2147483647)`;
  const local = `coalesce(array_position($1::text[], local_db), 2147483647)`;
  await session.execute(
    sql(
      "replicate.decide-by-code",
      `update ${CONFLICTS} set winner = case when ${known} <= ${local} then 'incoming' else 'local' end, why = $2
        where ${openOf(question)} and (incoming_db = any ($1::text[]) or local_db = any ($1::text[]))`,
      [list, why],
    ),
  );
}

function sideOf({ definition }: Question, row: Row, [winner = ""]: readonly string[]): string {
  if (winner === "skip") return "none";
  if (winner === row.incoming_db) return "incoming";
  if (winner === row.local_db) return "local";
  throw new BucardoError("conflict", `code named ${winner} as the winner, which did not change the row`, {
    sync: definition.sync.name,
    advice: `The two are ${row.incoming_db} and ${row.local_db}.`,
  });
}

async function settle({ session }: Question, place: string, winner: string, why: string): Promise<void> {
  await session.execute(
    sql("replicate.decide-one", `update ${CONFLICTS} set winner = $2, why = $3 where ctid = $1::tid`, [place, winner, why]),
  );
}

function openOf({ meeting, kind }: Question): string {
  return `captured = ${meeting.fetched.plan.table.captured} and kind = '${kind}' and winner is null`;
}

/** A decided row is written anew behind all others, so those not shown yet keep their order. */
async function readPage(question: Question, after: string | null): Promise<Row[]> {
  return question.session.query<Row>(
    sql(
      "replicate.conflict-page",
      `select ctid::text as place, key, incoming_db, local_db, to_json(incoming_at)#>>'{}' as incoming_at, to_json(local_at)#>>'{}' as local_at,
              incoming_image is null as incoming_gone, local_image is null as local_gone
         from ${CONFLICTS} where ${openOf(question)} and ($1::tid is null or ctid > $1::tid) order by ctid limit ${PAGE}`,
      [after],
    ),
  );
}

function pageOf({ session, meeting, definition, kind }: Question, table: string, rows: readonly Row[]): ConflictPage {
  const conflicts = rows.map((row): Conflict => ({
    key: row.key,
    kind,
    incoming: { db: row.incoming_db, at: row.incoming_at, gone: row.incoming_gone },
    local: { db: row.local_db, at: row.local_at, gone: row.local_gone },
  }));
  const places = new Map(conflicts.map((conflict, index) => [conflict, rows[index]!.place]));
  return {
    sync: definition.sync.name,
    table,
    keyColumns: meeting.fetched.link.target.key.map(({ name }) => name),
    sources: definition.exchange!.sources,
    conflicts,
    images: async (of) => {
      type Images = { incoming: Record<string, unknown> | null; local: Record<string, unknown> | null };
      const found = await session.query<Images & { place: string }>(
        sql(
          "replicate.conflict-images",
          `select ctid::text as place, incoming_image as incoming, local_image as local from ${CONFLICTS} where ctid = any ($1::tid[])`,
          [of.map((conflict) => places.get(conflict))],
        ),
      );
      const byPlace = new Map(found.map(({ place, incoming, local }) => [place, { incoming, local }]));
      return of.map((conflict) => byPlace.get(places.get(conflict) ?? "") ?? { incoming: null, local: null });
    },
  };
}
