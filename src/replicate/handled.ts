import { displayName } from "../model/name.ts";
import type { BucardoError } from "../model/error.ts";
import type { TableCounts } from "../model/run.ts";
import { toBucardoError } from "../postgres/failure.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { isDataFault } from "./data-fault.ts";
import { fetchTable, type Fetched } from "./fetch.ts";
import type { RunHooks } from "./hooks.ts";
import type { Member } from "./member.ts";

/** Failures of one table in one run that a handler may answer with "again"; the next one is the run's. */
const MOST_HANDLED = 2;

const VIEW = "bucardo_incoming";

export type HandledRun = {
  readonly hooks: RunHooks;
  readonly source: Session;
  readonly target: Member;
  readonly signal: AbortSignal;
};

/**
 * Applies under the eyes of exception handlers: when the target refuses a row of a table that has one, both sides go back to before the first table, the
 * handler changes what it likes, and all rows are fetched again, as the handler left them, and applied; at most twice for a table. All tables, because what a
 * handler takes away in one it may have taken away in others. The source must still be in the run's transaction.
 */
export async function applyHandled(
  { hooks, source, target, signal }: HandledRun,
  fetched: readonly Fetched[],
  apply: (fetched: readonly Fetched[]) => Promise<TableCounts[]>,
): Promise<TableCounts[]> {
  if (!fetched.some(({ link }) => hooks.handles(link.name))) return await apply(fetched);
  const attempts = new Map<Fetched["link"], number>();
  const both = [source, target.session];
  for (let rows = fetched; ;) {
    for (const session of both) await session.script(sql("replicate.save-handled", "savepoint bucardo_handled"));
    try {
      const counts = await apply(rows);
      for (const session of both) await session.script(sql("replicate.release-handled", "release savepoint bucardo_handled"));
      return counts;
    } catch (error) {
      const failed = failedTable(error, rows, hooks);
      const attempt = failed === null ? 0 : (attempts.get(failed.link) ?? 0) + 1;
      if (failed === null || attempt > MOST_HANDLED || both.some(({ lost }) => lost.aborted)) throw error;
      attempts.set(failed.link, attempt);
      for (const session of both) await session.script(sql("replicate.undo-handled", "rollback to savepoint bucardo_handled"));
      if (!(await isAnswered({ hooks, source, target, signal }, failed, toBucardoError(error), attempt))) throw error;
      rows = await fetchAgain({ source, target, signal }, rows);
    }
  }
}

/** The table that the error is about, if a handler wants to hear of it. */
function failedTable(error: unknown, rows: readonly Fetched[], hooks: RunHooks): Fetched | null {
  if (!isDataFault(error)) return null;
  const { table } = error.details;
  return rows.find(({ link, stage }) => stage !== null && displayName(link.name) === table && hooks.handles(link.name)) ?? null;
}

/** Asks with the rows in front of the handler: the stage, filled if it was to be filled with the first statement, under the names of the table. */
async function isAnswered(
  { hooks, source, target, signal }: HandledRun,
  of: Fetched,
  error: BucardoError,
  attempts: number,
): Promise<boolean> {
  signal.throwIfAborted();
  const { fill, stage, link } = of;
  const { session } = target;
  const columns = link.columns.map(({ name }, index) => `c${index + 1} as ${quoteIdent(name)}`);
  const view = sql("replicate.show-incoming", `create temp view ${VIEW} as select ${columns.join(", ")} from ${stage!} where not gone`);
  try {
    await session.batch([...(fill === null ? [] : [fill]), view]);
  } catch {
    throw error; // rows that do not even reach the stage
  }
  const again = await hooks.failed({ source, target: session, tables: [], table: link.name, error, attempts, incoming: VIEW });
  await session.script(sql("replicate.hide-incoming", `drop view pg_temp.${VIEW}`));
  return again;
}

/** As the source has them now. What went straight into an emptied table stays: it is no table of a handler. */
async function fetchAgain({ source, target, signal }: Omit<HandledRun, "hooks">, rows: readonly Fetched[]): Promise<Fetched[]> {
  const again: Fetched[] = [];
  for (const row of rows) {
    const { plan, link, stage } = row;
    if (stage !== null) {
      await target.session.execute(sql("replicate.empty-stage", `delete from ${stage}`));
      again.push(await fetchTable({ source, target, plan, link, signal, staged: true, onBytes: () => undefined }));
    } else again.push(row);
  }
  return again;
}
