import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { sameKey } from "./apply-text.ts";
import type { Fetched } from "./fetch.ts";
import { stageColumn } from "./relay.ts";
import { onReverse, type Reverse } from "./reverse.ts";
import { targetTable } from "./sameness.ts";
import type { TableLink } from "./table-link.ts";
import { readUniqueIndexes, type UniqueIndex } from "./unique-index.ts";

/** A table where rows that arrive meet rows that wait to leave. */
export type Meeting = {
  readonly fetched: Fetched & { readonly stage: string };
  /** Null: nothing of the table goes to the source. */
  readonly reverse: Reverse | null;
  /** Its keys as SQL; null: none waits. */
  readonly waiting: string | null;
  /** The two databases. */
  readonly source: string;
  readonly local: string;
};

/** Conflicts of the run under way, of one kind and table at a time; emptied by the server at commit. */
export const CONFLICTS = "pg_temp.bucardo_conflict";

/** On the database, where both rows are; nothing of them comes here. */
export async function prepareConflicts(session: Session): Promise<void> {
  await session.script(
    sql(
      "replicate.prepare-conflicts",
      `create temp table if not exists bucardo_conflict (
         captured integer, kind text, stage_row tid, key text[], local_key text[], incoming_db text, local_db text, incoming_at timestamptz,
         local_at timestamptz, incoming_image json, local_image json, winner text, why text, closed boolean not null default false
       ) on commit delete rows`,
    ),
  );
}

/** Rows changed on both sides since each has heard of the other, deletions included. Returns how many. */
export async function findRowConflicts(session: Session, meeting: Meeting): Promise<number> {
  const { fetched, reverse, waiting } = meeting;
  if (waiting === null || reverse === null) return 0;
  const { link, stage } = fetched;
  return session.execute(
    sql(
      "replicate.find-conflicts",
      `insert into ${CONFLICTS}
select ${fetched.plan.table.captured}, 'row', s.ctid, ${keyOfStage(link)}, ${keyOfStage(link)}, ${sides(meeting)}, s.at, r.at,
       case when not s.gone then ${stagedImage(link)} end, case when t.tableoid is not null then row_to_json(t) end
  from ${stage} s
  join (${waiting}) r on ${onReverse(link, reverse, "s")}
  left join ${targetTable(link)} t on ${sameKey(link)}`,
    ),
  );
}

/**
 * Rows that arrive with a unique value that another row has here, one that the source has neither changed nor deleted: it cannot know of it. Both keys
 * are right by themselves, but only one of the rows can be.
 */
export async function findUniqueConflicts(session: Session, meeting: Meeting): Promise<number> {
  const { link } = meeting.fetched;
  let found = 0;
  for (const index of await readUniqueIndexes(session, link.target.name)) {
    if (isKey(index, link)) continue;
    found += await session.execute(sql("replicate.find-unique-conflicts", uniqueText(meeting, index)));
  }
  return found;
}

function uniqueText(meeting: Meeting, index: UniqueIndex): string {
  const { fetched, reverse, waiting } = meeting;
  const { link, stage, plan } = fetched;
  const values = index.parts.map(({ expression }, position) => `(${expression}) as bucardo_value_${position + 1}`);
  const same = index.parts.map(({ expression, operator, collate }, position) => {
    const [there, here] = [`(${expression})${collate}`, `n.bucardo_value_${position + 1}${collate}`];
    const equal = `${there} ${operator} ${here}`;
    return index.nullsEqual ? `(${equal} or ((${expression}) is null and ${here} is null))` : equal;
  });
  const predicate = index.predicate === null ? [] : [index.predicate];
  const columns = link.columns.map(({ name }, position) => `s.c${position + 1} as ${quoteIdent(name)}`);
  // Of the staged row only what no column of the table is called: expressions of the index name those bare.
  const staged = `select bucardo_ctid, ${values.join(", ")} from (select s.ctid as bucardo_ctid, ${columns.join(", ")} from ${stage} s where not s.gone) x${predicate.length === 0 ? "" : ` where ${predicate.join(" and ")}`}`;
  const met = `select n.bucardo_ctid, t.ctid as bucardo_there, t.tableoid as bucardo_table from (${staged}) n, ${targetTable(link)} t where ${[...same, ...predicate].join(" and ")}`;
  const join =
    waiting === null || reverse === null
      ? "(select null::timestamptz as at, null::text[] as via) r on true"
      : `(${waiting}) r on ${onReverse(link, reverse, "t")}`;
  return `insert into ${CONFLICTS}
select distinct on (s.ctid, t.ctid) ${plan.table.captured}, 'unique', s.ctid, ${keyOfStage(link)}, array[${link.target.key.map(({ name }) => `t.${quoteIdent(name)}::text`).join(", ")}], ${sides(meeting)}, s.at, r.at, ${stagedImage(link)}, row_to_json(t)
  from (${met}) m
  join ${stage} s on s.ctid = m.bucardo_ctid
  join ${targetTable(link)} t on t.ctid = m.bucardo_there and t.tableoid = m.bucardo_table
  left join ${join}
 where not exists (select from ${stage} s where ${sameKey(link)})
   and not exists (select from ${CONFLICTS} c where c.captured = ${plan.table.captured} and c.kind = 'unique' and c.stage_row = s.ctid and not c.closed)`;
}

function isKey({ parts, predicate }: UniqueIndex, { target }: TableLink): boolean {
  const names = new Set(target.key.map(({ name }) => quoteIdent(name)).flatMap((name) => [name, name.slice(1, -1)]));
  return predicate === null && parts.length === target.key.length && parts.every(({ expression }) => names.has(expression));
}

/** The databases where the two changes were made. */
function sides({ source, local }: Meeting): string {
  return `coalesce(s.via[1], ${quoteLiteral(source)}), coalesce(r.via[1], ${quoteLiteral(local)})`;
}

/** As conflicts have them. */
export function keyOfStage(link: TableLink): string {
  return `array[${link.target.key.map(({ name }) => `s.${stageColumn(link, name)}::text`).join(", ")}]`;
}

function stagedImage(link: TableLink): string {
  const columns = link.columns.map(({ name }, index) => `s.c${index + 1} as ${quoteIdent(name)}`);
  return `(select row_to_json(i) from (select ${columns.join(", ")}) i)`;
}
