import type { Snapshot, SyncView, TargetView } from "../../src/http/page-types.ts";

/** What a state means at one glance. */
export type Tone = "good" | "busy" | "warn" | "bad" | "off";

export type SyncHealth = {
  readonly sync: SyncView;
  readonly targets: readonly TargetView[];
  readonly tone: Tone;
  /** Of the target that is furthest behind; null: not known. */
  readonly lag: { readonly deltas: number; readonly ageSeconds: number } | null;
  /** Rows a second of the runs that go on; null: none. */
  readonly rate: number | null;
  readonly setAside: number;
  /** Of the last run of any target. */
  readonly lastRun: string | null;
  /** The first thing that is wrong; null: nothing. */
  readonly trouble: string | null;
};

export function healthOf(seen: Snapshot): SyncHealth[] {
  const targets = new Map<string, TargetView[]>();
  for (const target of seen.targets) {
    const own = targets.get(target.sync);
    if (own === undefined) targets.set(target.sync, [target]);
    else own.push(target);
  }
  return seen.syncs.map((sync) => syncHealth(sync, targets.get(sync.name) ?? []));
}

export function syncHealth(sync: SyncView, targets: readonly TargetView[]): SyncHealth {
  const known = targets.flatMap(({ lag }) => (lag === null ? [] : [lag]));
  const deltas = Math.max(0, ...known.map((lag) => lag.deltas));
  const rates = targets.flatMap(({ running }) => (running === null || running.rate === null ? [] : [running.rate]));
  const runs = targets.flatMap(({ lastGood, lastBad }) => [lastGood?.ended, lastBad?.ended]).filter((at) => at !== undefined);
  const setAside = targets.reduce((sum, target) => sum + target.setAside, 0);
  const failed = targets.find((target) => failureOf(target) !== null);
  const tone = toneOf(sync.word);
  return {
    sync,
    targets,
    tone: tone === "good" && (setAside > 0 || !sync.ready) ? "warn" : tone,
    lag: known.length === 0 ? null : { deltas, ageSeconds: deltas === 0 ? 0 : Math.max(...known.map((lag) => lag.ageSeconds)) },
    rate: rates.length === 0 ? null : Math.max(...rates),
    setAside,
    lastRun: runs.length === 0 ? null : runs.reduce((one, other) => (one > other ? one : other)),
    trouble: failed === undefined || tone === "good" ? null : (failureOf(failed)?.message ?? null),
  };
}

/** What stopped a target, or failed last; null: its last run was good. */
export function failureOf(
  target: TargetView,
): { readonly message: string; readonly advice: string; readonly sqlstate: string | undefined } | null {
  const { lastBad, lastGood, state, detail } = target;
  if (lastBad !== null && lastBad.error !== null && (lastGood === null || lastBad.id > lastGood.id))
    return { message: lastBad.error.message, advice: lastBad.error.advice, sqlstate: lastBad.error.sqlstate };
  if ((state === "Stopped" || state === "Waiting") && detail !== null) return { message: detail, advice: "", sqlstate: undefined };
  return null;
}

export function toneOf(word: string): Tone {
  if (word === "Good") return "good";
  if (word === "Stopped" || word === "Bad") return "bad";
  return ["Inactive", "Off", "Paused", "No records found"].includes(word) ? "off" : "busy";
}

const RANK: Readonly<Record<Tone, number>> = { bad: 4, warn: 3, busy: 2, good: 1, off: 0 };

export function worse(one: Tone, other: Tone): Tone {
  return RANK[one] >= RANK[other] ? one : other;
}

/** What the list can be narrowed to. */
export const FILTERS = ["all", "attention", "running", "good", "resting"] as const;
export type Filter = (typeof FILTERS)[number];

export function passes({ tone }: Pick<SyncHealth, "tone">, filter: Filter): boolean {
  if (filter === "all") return true;
  if (filter === "attention") return tone === "bad" || tone === "warn";
  return filter === "running" ? tone === "busy" : filter === "good" ? tone === "good" : tone === "off";
}
