import { hostname } from "node:os";
import { daemonIsAlive, readDaemon, type DaemonRow } from "../../control/daemon.ts";
import { waitingKicks } from "../../control/kick.ts";
import { recentRuns, type RunRow } from "../../control/run.ts";
import { readSourceStates, type SourceState } from "../../control/source-state.ts";
import { readSyncSettings } from "../../control/sync-setting.ts";
import { readSyncs, type SyncRow } from "../../control/sync.ts";
import { readTargetStates, type TargetState } from "../../control/target-state.ts";
import { livesHere } from "./ask-daemon.ts";
import { targetsOf } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";

export type TargetStatus = {
  readonly target: string;
  readonly state: TargetState | null;
  readonly running: RunRow | null;
  readonly lastGood: RunRow | null;
  readonly lastBad: RunRow | null;
  /** The last that had something to do. */
  readonly lastWritten: RunRow | null;
};

export type SyncStatus = {
  readonly sync: SyncRow;
  /** One word for all targets together. */
  readonly word: string;
  readonly targets: readonly TargetStatus[];
  readonly kicksWaiting: number;
  /** Settings of its own. */
  readonly settings: Readonly<Record<string, string>>;
};

export type Status = {
  readonly alive: boolean;
  readonly daemon: DaemonRow | null;
  readonly local: boolean;
  readonly syncs: readonly SyncStatus[];
  readonly sources: readonly SourceState[];
};

/** All that `status` shows, from the control database alone. */
export async function readStatus(control: Session): Promise<Status> {
  const daemon = await readDaemon(control);
  const alive = (await daemonIsAlive(control)) || livesHere(daemon);
  const syncs = await readSyncs(control);
  const states = await readTargetStates(control);
  const runs = await recentRuns(control);
  const kicks = await waitingKicks(control);
  const sources = await readSourceStates(control);
  const own = await readSyncSettings(control);
  return {
    alive,
    daemon,
    local: daemon?.host === hostname(),
    sources,
    syncs: syncs.map((sync) => {
      const targets = targetsOf(sync).map((target) => targetStatus(sync.id, target, states, runs));
      const kicksWaiting = new Set(kicks.filter((kick) => kick.sync === sync.id).map((kick) => kick.id)).size;
      return { sync, targets, word: wordOf(sync, targets, alive), kicksWaiting, settings: own.get(sync.id) ?? {} };
    }),
  };
}

function targetStatus(syncId: string, target: string, states: readonly TargetState[], runs: readonly RunRow[]): TargetStatus {
  const state = states.find((one) => one.sync === syncId && one.target === target) ?? null;
  const byId = (id: number | null | undefined): RunRow | null => runs.find((run) => run.id === id) ?? null;
  return {
    target,
    state,
    running: runs.find((run) => run.ended === null && run.sync === syncId && run.target === target) ?? null,
    lastGood: byId(state?.lastGood),
    lastBad: byId(state?.lastBad),
    lastWritten: byId(state?.lastWritten),
  };
}

/** What the word of a sync is made of. */
export type TargetGist = {
  readonly state: Pick<TargetState, "state" | "copy"> | null;
  readonly running: Pick<RunRow, "step"> | null;
  readonly lastGood: Pick<RunRow, "id" | "outcome"> | null;
  readonly lastBad: Pick<RunRow, "id" | "outcome"> | null;
};

/** The worst of the targets decides. Nothing is called good while no daemon lives. */
export function wordOf(sync: Pick<SyncRow, "status" | "paused">, targets: readonly TargetGist[], alive: boolean): string {
  if (sync.status === "inactive") return "Inactive";
  if (!alive) return "Off";
  if (targets.some((one) => one.state?.state === "Stopped")) return "Stopped";
  if (targets.some((one) => one.state?.state === "Waiting")) return "Bad";
  if (sync.paused) return "Paused";
  const running = targets.find((one) => one.running !== null)?.running;
  if (running) return capital(running.step ?? "running");
  if (targets.some((one) => Boolean(one.state?.copy))) return "Copying";
  const ended = targets.map(lastOutcome);
  if (ended.every((one) => one === null)) return "No records found";
  if (ended.includes("bad")) return "Bad";
  // A run that found nothing to do is a good one.
  return "Good";
}

/** Of the later one of the last good and the last bad run. */
export function lastOutcome({ lastGood, lastBad }: Pick<TargetGist, "lastGood" | "lastBad">): RunRow["outcome"] {
  if (lastGood === null) return lastBad?.outcome ?? null;
  return lastBad !== null && lastBad.id > lastGood.id ? lastBad.outcome : lastGood.outcome;
}

/** The latest by id. */
export function latest(runs: readonly (RunRow | null)[]): RunRow | null {
  return runs.reduce((last, run) => (last === null || (run !== null && run.id > last.id) ? run : last), null);
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
