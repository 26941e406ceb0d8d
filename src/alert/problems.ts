import type { Settings } from "../config/setting.ts";
import type { CurrentProblem } from "../control/alert.ts";
import type { ConflictFacts, SourceFacts, TargetFacts } from "../control/alert-facts.ts";

export type Facts = {
  readonly targets: readonly TargetFacts[];
  readonly sources: readonly SourceFacts[];
  readonly conflicts: readonly ConflictFacts[];
};

/** The settings that decide, as they are for one sync. */
export type Thresholds = Pick<Settings, "alert_lag" | "alert_conflicts" | "alert_delta_disk" | "overdue" | "expired">;

/** Everything that is wrong, by what is known and the thresholds. Pure; both `check` and the daemon's alerts say what it says. */
export function problemsOf(facts: Facts, ofSync: (syncId: string) => Thresholds, general: Thresholds): CurrentProblem[] {
  return [
    ...facts.targets.flatMap((target) => targetProblems(target, ofSync(target.syncId))),
    ...facts.conflicts.flatMap((conflict) => conflictProblems(conflict, ofSync(conflict.syncId))),
    ...facts.sources.flatMap((source) => diskProblems(source, general)),
  ];
}

function targetProblems(of: TargetFacts, thresholds: Thresholds): CurrentProblem[] {
  const problem = (kind: CurrentProblem["kind"], grade: CurrentProblem["grade"], what: string, advice: string): CurrentProblem => ({
    problem: `${kind}-${grade}:${of.syncId}:${of.target}`,
    kind,
    grade,
    sync: of.sync,
    target: of.target,
    db: null,
    what,
    advice,
  });
  const name = `sync ${of.sync}, target ${of.target}`;
  const found: CurrentProblem[] = [];
  if (of.state === "Stopped")
    found.push(problem("failed", "critical", `${name}: stopped. ${of.detail ?? ""}`.trim(), `Then \`bucardo kick ${of.sync}\`.`));
  else if (of.state === "Waiting")
    found.push(problem("failed", "warning", `${name}: tried again. ${of.detail ?? ""}`.trim(), `\`bucardo status ${of.sync}\` shows it.`));
  if (of.setAside > 0)
    found.push(
      problem(
        "set-aside",
        "warning",
        `${name}: ${of.setAside} ${of.setAside === 1 ? "row is" : "rows are"} set aside`,
        `\`bucardo list set-aside ${of.sync}\` shows them.`,
      ),
    );
  if (of.paused) return found;
  const lag = of.deltas === null ? null : of.lagSeconds;
  if (thresholds.alert_lag !== null && of.byItself && lag !== null && (of.deltas ?? 0) > 0 && lag * 1000 > thresholds.alert_lag)
    found.push(
      problem(
        "lag",
        "warning",
        `${name}: ${rounded(thresholds.alert_lag / 1000)} behind or more, with changes waiting`,
        `\`bucardo status ${of.sync}\` shows what it does.`,
      ),
    );
  const late = lateness(of);
  if (thresholds.expired !== null && late * 1000 > thresholds.expired)
    found.push(
      problem("expired", "critical", `${name}: not up to date for ${rounded(thresholds.expired / 1000)} or longer (expired)`, RUNS),
    );
  else if (thresholds.overdue !== null && late * 1000 > thresholds.overdue)
    found.push(
      problem("overdue", "warning", `${name}: not up to date for ${rounded(thresholds.overdue / 1000)} or longer (overdue)`, RUNS),
    );
  return found;
}

const RUNS = "Does the daemon run, and does it reach both sides? `bucardo status` tells.";

/**
 * Seconds since the target was last known to be up to date: by a good run, or because nothing waited for it. A sync that runs on change and whose source is
 * at rest is never late.
 */
export function lateness(of: Pick<TargetFacts, "sinceGoodSeconds" | "behindSeconds" | "sinceAddedSeconds">): number {
  return Math.min(of.sinceGoodSeconds ?? of.sinceAddedSeconds, of.sinceGoodSeconds === null ? Infinity : (of.behindSeconds ?? Infinity));
}

function conflictProblems({ syncId, sync, conflicts }: ConflictFacts, { alert_conflicts: limit }: Thresholds): CurrentProblem[] {
  if (limit === 0 || conflicts < limit) return [];
  return [
    {
      problem: `conflicts:${syncId}`,
      kind: "conflicts",
      grade: "warning",
      sync,
      target: null,
      db: null,
      what: `sync ${sync}: ${limit} ${limit === 1 ? "conflict" : "conflicts"} or more within an hour`,
      advice: `\`bucardo list conflicts ${sync}\` shows them, and who won.`,
    },
  ];
}

function diskProblems({ db, bytes, secondsLeft, note }: SourceFacts, { alert_delta_disk: limit }: Thresholds): CurrentProblem[] {
  const over = limit !== null && bytes > limit;
  if (!over && note === null) return [];
  const own = over ? `deltas take more than ${Math.round(limit / 1024 / 1024)} MB of its disk` : null;
  return [
    {
      problem: `delta-disk:${db}`,
      kind: "delta-disk",
      grade: secondsLeft === 0 ? "critical" : "warning",
      sync: null,
      target: null,
      db,
      what: `source ${db}: ${[own, note].filter((part) => part !== null).join("; ")}`,
      advice: "Deltas go when every target has them: `bucardo delta -v` shows who is behind.",
    },
  ];
}

/** `90 s`, `15 minutes`, `2 hours` */
export function rounded(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`;
}
