import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** The channel of the control database. Payloads: `kick <syncId>`, `request <id>`, `again <syncId>`, `changed`. */
export const CONTROL_CHANNEL = "bucardo_control";

/** What a living daemon can be asked, besides kicks. `reload` with a sync's name: that sync only. */
export type RequestVerb = "ping" | "message" | "reload" | "reopen" | "purge" | "stop";

export type RequestRow = { readonly id: number; readonly verb: string; readonly argument: string | null; readonly requested: Date };

export async function sendRequest(session: Session, verb: RequestVerb, argument: string | null = null): Promise<number> {
  const { id } = await session.one<{ id: number }>(
    sql(
      "control.request-send",
      `with r as (insert into bucardo.request (verb, argument) values ($1, $2) returning id)
       select r.id, pg_catalog.pg_notify('bucardo_control', 'request ' || r.id) from r`,
      [verb, argument],
    ),
  );
  return id;
}

export async function openRequests(session: Session): Promise<RequestRow[]> {
  return await session.query<RequestRow>(
    sql(
      "control.request-open",
      "select id, verb, argument, requested_at as requested from bucardo.request where done_at is null order by id",
    ),
  );
}

/** A new daemon does not do what a former one was asked, except to log the messages. */
export async function dropStaleRequests(session: Session): Promise<void> {
  await session.execute(
    sql(
      "control.request-drop-stale",
      "update bucardo.request set done_at = pg_catalog.clock_timestamp(), answer = 'failed: no daemon was running' where done_at is null and verb <> 'message'",
    ),
  );
}

/** Marks a request as done; whoever waits for the answer is told on the channel `bucardo_answer`. */
export async function answerRequest(session: Session, id: number, answer: string): Promise<void> {
  await session.query(
    sql(
      "control.request-answer",
      `with r as (update bucardo.request set done_at = pg_catalog.clock_timestamp(), answer = $2 where id = $1 returning id)
       select pg_catalog.pg_notify('bucardo_answer', r.id::text) from r`,
      [id, answer],
    ),
  );
}

/** The answer of a request; null while there is none. */
export async function readAnswer(session: Session, id: number): Promise<string | null> {
  const rows = await session.query<{ answer: string | null }>(
    sql("control.request-read", "select answer from bucardo.request where id = $1 and done_at is not null", [id]),
  );
  return rows[0] === undefined ? null : (rows[0].answer ?? "");
}

/** Tells a living daemon to try a stopped sync again (a validate found it in order). */
export async function askAgain(session: Session, syncId: string): Promise<void> {
  await session.query(sql("control.ask-again", "select pg_catalog.pg_notify('bucardo_control', 'again ' || $1::text)", [syncId]));
}

export async function pruneRequests(session: Session, days: number): Promise<number> {
  return await session.execute(
    sql("control.request-prune", "delete from bucardo.request where requested_at < pg_catalog.clock_timestamp() - $1 * interval '1 day'", [
      days,
    ]),
  );
}
