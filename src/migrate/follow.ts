import { sleep } from "../base/sleep.ts";
import type { Lag } from "../model/run.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { adviseMove } from "./advise.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";
import { lockMigration } from "./lock.ts";
import { refuseDecided } from "./decided.ts";
import { RunLine } from "./catch-up.ts";
import { followKeyless } from "./follow-keyless.ts";
import { definitionOf, relationsOf } from "./move.ts";
import { phases } from "./phase.ts";
import { openBoth, totalRows } from "./runs.ts";
import { requireMigration, type Migration } from "./state.ts";
import { turnAround } from "./way-back.ts";

export type FollowContext = {
  readonly old: Endpoint;
  readonly new: Endpoint;
  readonly signal: AbortSignal;
  /** Between two runs. */
  readonly pauseMs: number;
  /** Null: until the signal aborts. */
  readonly limitMs: number | null;
  readonly onRun: (run: { readonly rows: number; readonly lag: Lag }) => void;
  readonly onMessage: (line: string) => void;
};

export type Followed = { readonly runs: number; readonly rows: number; readonly lag: Lag };

/** The runs of a move in the direction that it has now: to the side that applications do not write to. */
export function lineOf(
  ends: Pick<FollowContext, "old" | "new" | "signal">,
  migration: Migration,
  onMessage: (line: string) => void,
): RunLine {
  const forward = definitionOf(migration, relationsOf(migration));
  const back = migration.openSide === "new";
  const [from, to] = back ? [ends.new, ends.old] : [ends.old, ends.new];
  return new RunLine({
    definition: back ? turnAround(forward) : forward,
    signal: ends.signal,
    before: (sessions) => followKeyless({ sync: forward.sync, ...sessions, prove: false, signal: ends.signal }),
    open: () =>
      openBoth(
        () => openEndpoint(from, "run", ends.signal),
        () => openEndpoint(to, "run", ends.signal),
      ),
    onTrouble: (error, waitMs) => onMessage(`again in ${Math.round(waitMs / 1000)} s: ${error.message}`),
  });
}

/**
 * Keeps the side that is not in use in step. Ends when the signal aborts (which is no error here), or after `limitMs`.
 * Errors: migration-missing, in-use, cutover-unfinished, and those that no repetition of a run mends.
 */
export async function follow(context: FollowContext): Promise<Followed> {
  await using state = await openEndpoint(context.old, "follow", context.signal);
  await lockMigration(state, context.signal);
  const migration = await requireMigration(state);
  if (migration.openSide === "old" && phases.indexOf(migration.phase) < phases.indexOf("catch-up"))
    throw new BucardoError("usage", `This move is at "${migration.phase}": there is nothing to follow yet.`, {
      advice: "`bucardo migrate start` goes on with it.",
    });
  await refuseWrongDirection(context, state, migration);
  await using line = lineOf(context, migration, context.onMessage);
  const followed = { runs: 0, rows: 0, lag: { deltas: 0, ageSeconds: 0 } };
  const end = context.limitMs === null ? Number.POSITIVE_INFINITY : performance.now() + context.limitMs;
  try {
    do {
      const rows = totalRows(await line.run());
      if (rows > 0) await line.purge();
      followed.lag = await line.lag();
      followed.runs++;
      followed.rows += rows;
      context.onRun({ rows, lag: followed.lag });
      await sleep(Math.max(0, Math.min(context.pauseMs, end - performance.now())), context.signal);
    } while (performance.now() < end);
  } catch (error) {
    if (!context.signal.aborted) throw adviseMove(error);
  }
  return followed;
}

/** A run against the direction of a turn that was decided would set sequences back on the side that is in use. Errors: cutover-unfinished. */
async function refuseWrongDirection({ new: there, signal }: FollowContext, state: Session, migration: Migration): Promise<void> {
  if (migration.openSide === "old") return refuseDecided(state, migration);
  await using session = await openEndpoint(there, "follow", signal);
  await refuseDecided(session, migration);
}
