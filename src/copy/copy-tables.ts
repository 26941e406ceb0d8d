import { anySignal } from "../base/abort.ts";
import { reach } from "../base/point.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { memberOf, type Member } from "../replicate/member.ts";
import { linkCopies, type LinkedTable } from "./link.ts";
import type { CopyOptions, CopyResult } from "./options.ts";
import { paceOf } from "./pace.ts";
import { joinComplete } from "./piece.ts";
import { planCopy, readSubscribed } from "./plan.ts";
import { ProgressBook } from "./progress.ts";
import { checkSides, settleSent } from "./recover.ts";
import { ensureCopySchema } from "./schema.ts";
import { readCopyState, resetCopy, type TableState } from "./state.ts";
import { work, type Job } from "./worker.ts";

/**
 * The first copy of whole tables, in pieces. A piece is a range of keys, a snapshot that lives as long as it, and a transaction on the target; what
 * writers change meanwhile is among the deltas, and the first run after the copy puts it right on every row. So tables are captured before
 * (installCapture with `join: false`), no run touches one until its last piece has arrived, and then it joins the runs by itself.
 *
 *   link: which columns, binary or text -> plan: parts, order, one snapshot from which changes count -> workers: cut, copy, record -> join
 *
 * All of it is written down on the source: after any end, kill -9 included, the same call goes on with the pieces that are missing. Tables that are not
 * captured travel in one snapshot each. Errors: schema-mismatch (all problems at once), source-changed, target-changed, and what a server refuses.
 */
export async function copyTables(options: CopyOptions): Promise<CopyResult> {
  const { source, target, links, relink, states } = await prepare(options);
  const progress = new ProgressBook(states, options.onProgress);
  options.onPlanned?.();
  try {
    await settleSent(source, target.session, options);
  } finally {
    await closeAll(source, target);
  }
  await workAll({ options, links, relink, progress });
  progress.tell(true);
  const { tables, rows, bytes } = progress.totals;
  return { tables, rows, bytes, resumedPieces: states.reduce((sum, state) => sum + state.piecesDone, 0) };
}

type Prepared = {
  readonly source: Session;
  readonly target: Member;
  readonly links: Map<string, LinkedTable>;
  readonly relink: Job["relink"];
  readonly states: readonly TableState[];
};

async function prepare(options: CopyOptions): Promise<Prepared> {
  const source = await options.openSource();
  let target: Member | null = null;
  try {
    target = await memberOf(await options.openTarget());
    await ensureCopySchema(source);
    await checkSides(source, target.session, options);
    await joinComplete(source, options);
    const subscribed = await readSubscribed(source, options);
    await forgetStale(source, options, subscribed);
    const before = await readCopyState(source, options);
    const known = new Map(before.map((state) => [displayName(state.name), state]));
    const left = options.tables
      .filter((name) => known.get(displayName(name))?.done !== true)
      .map(({ terms, ...name }) => ({ name, key: subscribed.get(displayName(name))?.key ?? null, terms }));
    const links = await linkCopies(source, target, left);
    const fresh = [...links.values()].filter(({ link }) => !known.has(displayName(link.name)));
    await planCopy(source, target.session, options, fresh);
    await reach("copy.planned");
    const relink: Job["relink"] = async (one, other) => {
      for (const [name, link] of await linkCopies(one, other, left)) links.set(name, link);
    };
    return { source, target, links, relink, states: await readCopyState(source, options) };
  } catch (error) {
    await closeAll(source, target);
    throw error;
  }
}

/**
 * What was begun and is not wanted any more, as after DROP TABLE, would never end. And a table that was copied, taken out and captured again waits for
 * another copy.
 */
async function forgetStale(
  source: Session,
  options: CopyOptions,
  subscribed: ReadonlyMap<string, { readonly joined: boolean }>,
): Promise<void> {
  const wanted = new Set(options.tables.map(displayName));
  const stale = (await readCopyState(source, options)).filter(({ name, done }) =>
    done ? subscribed.get(displayName(name))?.joined === false : !wanted.has(displayName(name)),
  );
  if (stale.length === 0) return;
  await resetCopy(
    source,
    options,
    stale.map((state) => state.name),
  );
}

async function closeAll(source: Session, target: Member | null): Promise<void> {
  await source.close();
  await target?.session.close();
}

/** The first error that does not pass ends all of them; pieces under way are rolled back. */
async function workAll(shared: Pick<Job, "options" | "links" | "relink" | "progress">): Promise<void> {
  const { options } = shared;
  const failure = new AbortController();
  using signal = anySignal(options.signal, failure.signal);
  const pace = options.maxRate === null ? undefined : paceOf(options.maxRate);
  const jobs = Math.max(1, options.jobs);
  const job: Job = { ...shared, pace, signal, alive: { count: jobs } };
  await Promise.all(Array.from({ length: jobs }, () => work(job).catch((error: unknown) => failure.abort(error))));
  options.signal.throwIfAborted();
  if (failure.signal.aborted) throw failure.signal.reason;
}
