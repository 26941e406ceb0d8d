import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { CONFLICTS, type Meeting } from "./conflict-find.ts";
import { askHook } from "./conflict-ask.ts";
import type { Question } from "./conflict-question.ts";

/** Writes the winner of each conflict of one table and kind beside it: first what code says, then the strategy. Errors: conflict (strategy abort). */
export async function decide(question: Question): Promise<void> {
  const { session, meeting, kind, strategy, hook } = question;
  const captured = meeting.fetched.plan.table.captured;
  if (hook !== null) await askHook(question, hook);
  const open = `captured = ${captured} and kind = '${kind}' and winner is null`;
  if (strategy.kind === "abort") return await refuse(question, open);
  const { winner, why, values } = await textOf(question);
  await session.execute(sql("replicate.decide", `update ${CONFLICTS} c set winner = ${winner}, why = ${why} where ${open}`, values));
}

async function refuse({ session, definition, meeting }: Question, open: string): Promise<void> {
  const { count } = await session.one<{ count: number }>(
    sql("replicate.undecided", `select count(*)::int as count from ${CONFLICTS} where ${open}`),
  );
  if (count === 0) return;
  const table = displayName(meeting.fetched.link.name);
  throw new BucardoError(
    "conflict",
    `${count} row${count === 1 ? "" : "s"} of ${table} changed on both sides, and the strategy is to stop`,
    {
      db: definition.target,
      sync: definition.sync.name,
      table,
    },
  );
}

type Text = { readonly winner: string; readonly why: string; readonly values: readonly unknown[] };

/** `incoming_db` and `local_db` are where the changes were made; the order of the sources settles what else is equal. */
async function textOf({ session, definition, meetings, strategy }: Question): Promise<Text> {
  const { sources } = definition.exchange!;
  const place = (side: string) => `coalesce(array_position($1::text[], ${side}), 2147483647)`;
  const first = `case when ${place("incoming_db")} < ${place("local_db")} or (${place("incoming_db")} = ${place("local_db")} and incoming_db <= local_db) then 'incoming' else 'local' end`;
  switch (strategy.kind) {
    case "latest":
      return {
        winner: later("incoming_at", "local_at", first),
        why: "case when incoming_at is not distinct from local_at then 'of the same time: the first source' else 'the later change' end",
        values: [sources],
      };
    case "latest_all_tables": {
      const { incoming, local } = await newest(session, meetings);
      return {
        winner: later("$2::timestamptz", "$3::timestamptz", first),
        why: "'the database with the latest change of all tables'",
        values: [sources, incoming, local],
      };
    }
    case "source":
      return { winner: first, why: "'the first source'", values: [sources] };
    case "target":
      return { winner: `case ${first} when 'incoming' then 'local' else 'incoming' end`, why: "'the last source'", values: [sources] };
    case "list":
      return { winner: first, why: "'the first database of the list'", values: [strategy.dbs] };
    case "random":
      return { winner: "case when random() < 0.5 then 'incoming' else 'local' end", why: "'by chance'", values: [] };
    case "skip":
    case "abort":
      return { winner: "'none'", why: "'skipped: both rows stay'", values: [] };
  }
}

function later(incoming: string, local: string, otherwise: string): string {
  const [here, there] = [`coalesce(${incoming}, '-infinity')`, `coalesce(${local}, '-infinity')`];
  return `case when ${here} > ${there} then 'incoming' when ${here} < ${there} then 'local' else ${otherwise} end`;
}

async function newest(session: Session, meetings: readonly Meeting[]): Promise<{ incoming: Date | null; local: Date | null }> {
  const stages = meetings.map(({ fetched }) => `select max(at) as at from ${fetched.stage}`);
  const waiting = meetings.flatMap((meeting) => (meeting.waiting === null ? [] : [`select max(at) as at from (${meeting.waiting}) r`]));
  const max = (parts: readonly string[]) =>
    parts.length === 0 ? "null::timestamptz" : `(select max(at) from (${parts.join(" union all ")}) x)`;
  return session.one(sql("replicate.newest", `select ${max(stages)} as incoming, ${max(waiting)} as local`));
}
