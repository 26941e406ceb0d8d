import { parseStrategy, type Strategy } from "../model/conflict.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { hasCommitTimes } from "./commit-time.ts";
import { applyIncomingWins, applyLocalWins, closeUnique } from "./conflict-act.ts";
import { decide } from "./conflict-decide.ts";
import { findRowConflicts, findUniqueConflicts, prepareConflicts, type Meeting } from "./conflict-find.ts";
import { followLosers, keepParents } from "./conflict-foreign-key.ts";
import { fetchLosers } from "./conflict-loser.ts";
import { logConflicts } from "./conflict-log.ts";
import type { RunDefinition } from "./definition.ts";
import type { Fetched } from "./fetch.ts";
import type { RunHooks } from "./hooks.ts";
import type { Member } from "./member.ts";
import { stageColumn } from "./relay.ts";
import { onReverse, readReverse, reverseText, type Reverse } from "./reverse.ts";
import { dropSame, targetTable } from "./sameness.ts";
import { sameKey } from "./apply-text.ts";

export type Exchanged = {
  readonly fetched: readonly Fetched[];
  /** Conflicts by displayed table. */
  readonly conflicts: ReadonlyMap<string, number>;
  /** Captured tables of the target that were emptied there: the source empties them too, so what it sent must go back to it. */
  readonly back: ReadonlySet<number>;
};

type Job = {
  readonly definition: RunDefinition;
  readonly source: Session;
  readonly target: Member;
  readonly fetched: readonly Fetched[];
  readonly hooks: Pick<RunHooks, "conflict" | "handles"> | null;
  readonly signal: AbortSignal;
};

/**
 * What arrives on a database that is a source too. Everything stands in the stages and nothing is applied yet: deletions of whole tables and parts
 * become keys, what is the same on both sides goes, and where the two are sources of each other conflicts are found, decided, noted and
 * acted upon, all of it as sets in the target's transaction. What is left on the stages afterwards is right.
 */
export async function meet(job: Job): Promise<Exchanged> {
  const { definition, target } = job;
  const told = job.fetched.filter(({ link, stage }) => link.relays.length > 0 && stage !== null) as (Fetched & { stage: string })[];
  if (definition.exchange !== undefined) refuseUncaptured(job);
  if (told.length === 0) return { fetched: job.fetched, conflicts: new Map(), back: new Set() };
  const { session } = target;
  const reverses =
    definition.exchange === undefined
      ? new Map<unknown, Reverse>()
      : await readReverse(
          session,
          definition.source,
          told.map(({ link }) => link),
        );
  const meetings: Meeting[] = [];
  for (const each of told) {
    const reverse = reverses.get(each.link) ?? null;
    const commitTimes = await hasCommitTimes(session, each.link);
    const waiting = reverse === null ? null : reverseText(reverse, definition.source, commitTimes);
    const meeting: Meeting = { fetched: each, reverse, waiting, source: definition.source, local: definition.target };
    await becomeKeys(target, meeting);
    await dropSame(session, each);
    meetings.push(meeting);
  }
  const conflicts = definition.exchange === undefined ? new Map<string, number>() : await settleConflicts(job, meetings);
  const keyed = new Map(told.map((each) => [each, { ...each, plan: { ...each.plan, action: "keys" as const, gone: [], joined: [] } }]));
  return {
    fetched: job.fetched.map((each) => keyed.get(each as Fetched & { stage: string }) ?? each),
    conflicts,
    back: new Set(meetings.flatMap(({ reverse }) => (reverse?.truncated ? [reverse.captured] : []))),
  };
}

async function settleConflicts(job: Job, meetings: readonly Meeting[]): Promise<Map<string, number>> {
  const { definition, target, hooks, signal } = job;
  const { session } = target;
  const exchange = definition.exchange!;
  await prepareConflicts(session);
  const counts = new Map<string, number>();
  const settle = async (meeting: Meeting, kind: "row" | "unique"): Promise<number> => {
    const found = kind === "row" ? await findRowConflicts(session, meeting) : await findUniqueConflicts(session, meeting);
    if (found === 0) return 0;
    const table = displayName(meeting.fetched.link.name);
    const strategy = strategyOf(definition, table);
    await decide({ session, definition, meeting, meetings, kind, strategy, hook: hooks?.conflict ?? null, signal });
    await logConflicts(session, definition, meeting, kind);
    await applyLocalWins(session, meeting, kind);
    await applyIncomingWins(session, meeting, kind);
    counts.set(table, (counts.get(table) ?? 0) + found);
    return found;
  };
  for (const meeting of meetings) await settle(meeting, "row");
  // What loses comes back in an older version, stays, or is kept for what refers to it, and may meet others so. It ends: each time a row that arrives or one that
  // is here is out of the game.
  for (let found = -1; found !== 0;) {
    found = 0;
    for (const meeting of meetings) {
      // Who has code for rows that are refused wants to see them.
      if (hooks?.handles(meeting.fetched.link.name)) continue;
      const met = await settle(meeting, "unique");
      if (met === 0) continue;
      found += met;
      await fetchLosers(job.source, session, meeting, signal);
      await closeUnique(session, meeting);
    }
    await followLosers(session, meetings);
    if (exchange.foreignKeys !== "ignore") found += await keepParents(session, definition, meetings, counts);
  }
  for (const { fetched } of meetings) await lockRows(target, fetched);
  return counts;
}

/** Errors: bad-value. */
function strategyOf({ sync, exchange }: RunDefinition, table: string): Strategy {
  const text = exchange!.tables[table] ?? exchange!.strategy;
  const strategy = parseStrategy(text, exchange!.sources);
  if (strategy !== null) return strategy;
  throw new BucardoError("bad-value", `"${text}" is no conflict strategy of sync ${sync.name}`, {
    sync: sync.name,
    table,
    advice: `bucardo_latest, bucardo_latest_all_tables, bucardo_source, bucardo_target, bucardo_skip, bucardo_random, bucardo_abort, or names of ${exchange!.sources.join(", ")}.`,
  });
}

/** Whole tables and parts that go: as keys that are gone, except those that the other side does not know of or has changed. */
async function becomeKeys({ session }: Member, { fetched, reverse, waiting }: Meeting): Promise<void> {
  const { plan, link, stage } = fetched;
  const table = targetTable(link);
  const keys = link.target.key.map(({ name }) => ({ name, column: stageColumn(link, name) }));
  const changedHere = waiting === null ? "false" : `exists (select from (${waiting}) r where ${onReverse(link, reverse!, "t")})`;
  if (plan.action === "recopy" && waiting !== null) {
    // It is not known which of its rows the source has changed; what was changed here is.
    const changed = `exists (select from (${waiting}) r where ${onReverse(link, reverse!, "s")})`;
    await session.execute(sql("replicate.keep-changed", `delete from ${stage} s where ${changed}`));
  }
  const which = [...(plan.action === "keys" ? [] : ["true"]), ...plan.gone.map((condition) => `(${condition})`)];
  if (which.length === 0) return;
  await session.execute(
    sql(
      "replicate.stage-gone",
      `insert into ${stage} (gone, ${keys.map(({ column }) => column).join(", ")})
  select true, ${keys.map(({ name }) => `t.${quoteIdent(name)}`).join(", ")} from ${table} t
   where (${which.join(" or ")}) and not exists (select from ${stage} s where ${sameKey(link)}) and not ${changedHere}`,
    ),
  );
}

/**
 * In a REPEATABLE READ transaction this fails with 40001 when one of the rows was changed since its snapshot, a deletion included, which an INSERT
 * that finds no row would not notice (hazard 4).
 */
async function lockRows({ session }: Member, { link, stage }: Fetched): Promise<void> {
  const text = `select count(*) from (select from ${targetTable(link)} t, ${stage} s where ${sameKey(link)} for update of t) x`;
  await session.query(sql("replicate.lock-rows", text));
}

function refuseUncaptured({ definition, target, fetched }: Job): void {
  const missing = fetched.find(({ link }) => link.relays.length === 0);
  if (missing === undefined) return;
  const table = displayName(missing.link.name);
  throw new BucardoError("checkpoint-missing", `${table} is not captured on ${target.session.name}, which is a source of the sync too`, {
    db: target.session.name,
    sync: definition.sync.name,
    table,
    advice: `\`bucardo validate ${definition.sync.name}\` installs what is missing.`,
  });
}
