import { invariant } from "../base/invariant.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

export type SiftJob = {
  readonly session: Session;
  /** A temporary table whose rows are in the order of their ctid: filled once, never updated. */
  readonly rows: string;
  /** The statement that works on `rows`, which stands for a part of them (use it as a table in FROM). */
  readonly text: (rows: string) => string;
  /** True for an error that is the fault of a row; any other ends the sifting. */
  readonly isFault: (error: unknown) => boolean;
  /** One row that fails by itself, or after those before it. Resolves to the rows that were done for it all the same. */
  readonly onFault: (ctid: string, error: unknown) => Promise<number>;
  readonly signal: AbortSignal;
};

type Place = { readonly after: string; readonly upTo: string };

type Part = Place & { readonly rows: number };

/**
 * Does work for all rows but those for which it fails, in their order: what fails is undone, halved and tried again, so a row that is at fault costs some
 * log2(n) statements and twice the time. Must be called in a transaction; what was done for good rows stays in it. Returns how many rows were changed.
 */
export async function sift(job: SiftJob): Promise<number> {
  const whole = await readWhole(job);
  return whole === null ? 0 : siftPart(job, whole);
}

async function siftPart(job: SiftJob, part: Part): Promise<number> {
  job.signal.throwIfAborted();
  try {
    return await attempt(job.session, job.text(partText(job.rows, part)));
  } catch (error) {
    if (!job.isFault(error)) throw error;
    if (part.rows === 1) return job.onFault(part.upTo, error);
  }
  const half = Math.ceil(part.rows / 2);
  const middle = await readMiddle(job, part, half);
  const first = await siftPart(job, { after: part.after, upTo: middle, rows: half });
  return first + (await siftPart(job, { after: middle, upTo: part.upTo, rows: part.rows - half }));
}

/** One statement that leaves nothing behind when it fails. Rows that it changed. */
export async function attempt(session: Session, text: string): Promise<number> {
  try {
    const [, changed = 0] = await session.script(
      sql("replicate.attempt", `savepoint bucardo_attempt;\n${text};\nrelease savepoint bucardo_attempt`),
    );
    return changed;
  } catch (error) {
    if (sqlstateOf(error) !== null && !session.lost.aborted)
      await session.script(sql("replicate.undo-attempt", "rollback to savepoint bucardo_attempt; release savepoint bucardo_attempt"));
    throw error;
  }
}

/** What a statement fails with, if it does; nothing of it is left either way. */
export async function failureOf(session: Session, text: string): Promise<unknown> {
  try {
    await attempt(session, `${text};\nrollback to savepoint bucardo_attempt`);
    return null;
  } catch (error) {
    if (sqlstateOf(error) === null) throw error;
    return error;
  }
}

/** One row of a temporary table, to stand in FROM. */
export function oneRow(rows: string, ctid: string): string {
  return `(select * from ${rows} x where x.ctid = '${ctid}'::tid)`;
}

function partText(rows: string, { after, upTo }: Place): string {
  return `(select * from ${rows} x where x.ctid > '${after}'::tid and x.ctid <= '${upTo}'::tid)`;
}

/** Rows that no part holds would be lost without a word: both ways of counting them must agree. */
async function readWhole({ session, rows }: SiftJob): Promise<Part | null> {
  const [last] = await session.query<{ last: string; all: number }>(
    sql(
      "replicate.sift-whole",
      `select l.ctid::text as last, (select count(*) from ${rows}) as all from (select x.ctid from ${rows} x order by x.ctid desc limit 1) l`,
    ),
  );
  if (last === undefined) return null;
  const part = { after: "(0,0)", upTo: last.last };
  const { here } = await session.one<{ here: number }>(
    sql("replicate.sift-count", `select count(*) as here from ${partText(rows, part)} x`),
  );
  invariant(here === last.all, `${here} of ${last.all} rows of ${rows} are to be sifted`);
  return { ...part, rows: here };
}

async function readMiddle({ session, rows }: SiftJob, part: Part, half: number): Promise<string> {
  const { middle } = await session.one<{ middle: string }>(
    sql(
      "replicate.sift-middle",
      `select x.place::text as middle from ${partText(rows, part).replace("*", "x.ctid as place")} x order by x.place offset ${half - 1} limit 1`,
    ),
  );
  return middle;
}
