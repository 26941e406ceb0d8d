import { sourcesOf, targetsOf } from "../../model/sync.ts";
import type { RecentRate } from "../../control/rate.ts";
import type { RunRow } from "../../control/run.ts";
import { describeProgress } from "./describe-progress.ts";
import { latest, type SyncStatus, type TargetStatus } from "./status-read.ts";
import type { Tone } from "../paint.ts";

/** A line under a sync: what is wrong, and what to do about it. */
export type Note = { readonly tone: Tone; readonly text: string; readonly advice: string | null };

/** What there is to see of a sync, or of one of its targets. Ages in seconds, rates in rows a second. */
export type WatchRow = {
  readonly name: string;
  /** `A > B, C`: who feeds whom. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly word: string;
  readonly tone: Tone;
  readonly deltas: number | null;
  readonly ageSeconds: number | null;
  readonly rate: number | null;
  readonly last: { readonly ended: Date; readonly ms: number; readonly rows: number; readonly good: boolean } | null;
  readonly notes: readonly Note[];
};

export function watchRow(of: SyncStatus, rates: readonly RecentRate[]): WatchRow {
  const { sync, targets, word } = of;
  return {
    name: sync.name,
    from: sourcesOf(sync),
    to: targetsOf(sync),
    word,
    tone: toneOf(word),
    ...worst(targets),
    rate: rateOf(
      targets,
      rates.filter((rate) => rate.sync === sync.id),
    ),
    last: lastOf(targets),
    notes: [...(sync.ready ? [] : [NOT_READY]), ...targets.flatMap((target) => notesOf(sync.name, target, targets.length > 1))],
  };
}

/** Of the target that is furthest behind; null: not known. */
export function worst(targets: readonly TargetStatus[]): Pick<WatchRow, "deltas" | "ageSeconds"> {
  const known = targets.flatMap(({ state }) => (state === null || state.deltas === null ? [] : [state]));
  if (known.length === 0) return { deltas: null, ageSeconds: null };
  const deltas = Math.max(...known.map((state) => state.deltas ?? 0));
  return { deltas, ageSeconds: deltas === 0 ? 0 : Math.max(...known.map((state) => state.lagSeconds ?? 0)) };
}

export function toneOf(word: string): Tone {
  if (word === "Good") return "good";
  if (word === "Stopped" || word === "Bad") return "bad";
  return ["Inactive", "Off", "Paused", "No records found"].includes(word) ? "off" : "busy";
}

const NOT_READY: Note = { tone: "warn", text: "not validated", advice: "`bucardo validate` finishes its installation." };

function notesOf(sync: string, { target, state, running, lastGood, lastBad }: TargetStatus, several: boolean): Note[] {
  const notes: Note[] = [];
  const name = several ? `${target}: ` : "";
  const failed = lastBad !== null && (lastGood === null || lastBad.id > lastGood.id) ? lastBad : null;
  if (failed !== null && (state === null || state.state !== "Idle" || lastGood === null || running === null))
    notes.push({ tone: "bad", text: `${name}${errorText(failed)}`, advice: failed.advice });
  else if (state?.state === "Stopped" && state.detail !== null) notes.push({ tone: "bad", text: `${name}${state.detail}`, advice: null });
  if (running !== null && running.rowsDone > 0) notes.push({ tone: "busy", text: describeProgress(running), advice: null });
  if (state !== null && state.setAside > 0)
    notes.push({
      tone: "warn",
      text: `${name}${state.setAside} ${state.setAside === 1 ? "row" : "rows"} set aside`,
      advice: `\`bucardo list set-aside ${sync}\` shows them.`,
    });
  return notes;
}

function errorText(run: RunRow): string {
  const message = run.errorMessage ?? "failed";
  return run.sqlstate === null || message.includes(run.sqlstate) ? message : `${message} (${run.sqlstate})`;
}

function rateOf(targets: readonly TargetStatus[], rates: readonly RecentRate[]): number | null {
  const running = targets.flatMap(({ running: run }) => (run?.rate ? [run.rate] : []));
  const ended = rates.map(({ rate }) => rate).filter((rate) => rate > 0);
  return running.length + ended.length === 0 ? null : Math.max(...running, ...ended);
}

function lastOf(targets: readonly TargetStatus[]): WatchRow["last"] {
  const run = latest([...targets.map((one) => one.lastGood), ...targets.map((one) => one.lastBad)]);
  if (run === null || run.ended === null) return null;
  return {
    ended: run.ended,
    ms: run.ended.getTime() - run.started.getTime(),
    rows: run.upserted + run.deleted,
    good: run.outcome !== "bad",
  };
}
