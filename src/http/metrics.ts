import { RUN_SECONDS, type Tally } from "../daemon/tally.ts";
import type { Metric, Point } from "./metric.ts";
import type { Snapshot, TargetView } from "./page-types.ts";

/** Where a metric's points come from. */
export type Sources = {
  readonly snapshot: Snapshot;
  /** null: no daemon in this process. */
  readonly tally: Pick<Tally, "targets" | "lengths"> | null;
  readonly process: { readonly residentBytes: number; readonly cpuSeconds: number; readonly startedAt: number };
  readonly listeners: number;
  /** Answers so far, by class: `2xx`. */
  readonly answers: ReadonlyMap<string, number>;
};

type Family = Metric & { readonly points: (of: Sources) => Point[] };

const TARGET = ["sync", "target"] as const;

/** All metrics. A label is a name of the configuration, or one of a few words: never a table, a key or a value. */
export const metrics: readonly Family[] = [
  gauge("bucardo_info", "The version that serves this.", ["version"], ({ snapshot }) => [
    { labels: { version: snapshot.site.version }, value: 1 },
  ]),
  gauge("bucardo_control_up", "1 while the control database answers.", [], ({ snapshot }) =>
    snapshot.site.hasControl ? [{ value: Number(snapshot.trouble.control === null) }] : [],
  ),
  gauge("bucardo_daemon_up", "1 while a daemon owns the control database and is ready.", [], ({ snapshot: { daemon } }) =>
    daemon === null ? [] : [{ value: Number(daemon.state === "up") }],
  ),
  gauge("bucardo_daemon_start_time_seconds", "When the daemon started, in seconds since 1970.", [], ({ snapshot: { daemon } }) =>
    !daemon?.started ? [] : [{ value: seconds(daemon.started) }],
  ),
  perTarget("bucardo_deltas_waiting", "Changes that the target still lacks.", ({ lag }) => lag?.deltas ?? null),
  perTarget("bucardo_lag_seconds", "Age of the oldest of them at most; 0: none waits.", ({ lag }) => lag?.ageSeconds ?? null),
  perTarget("bucardo_rows_set_aside", "Rows that the target refused and that wait to be replayed.", ({ setAside }) => setAside),
  perTarget("bucardo_run_in_progress", "1 while a run goes on that has taken more than a moment.", ({ running }) =>
    Number(running !== null),
  ),
  perTarget("bucardo_target_stopped", "1 while the target waits for a person to mend something.", ({ state }) =>
    Number(state === "Stopped"),
  ),
  perTarget("bucardo_target_failing", "1 while the last run failed and is tried again by itself.", ({ state }) =>
    Number(state === "Waiting"),
  ),
  perTarget("bucardo_last_good_run_timestamp_seconds", "When the last good run ended, in seconds since 1970.", ({ lastGood }) =>
    lastGood === null ? null : seconds(lastGood.ended),
  ),
  gauge("bucardo_sync_active", "1: the sync runs; 0: it is inactive or paused.", ["sync"], ({ snapshot }) =>
    snapshot.syncs.map(({ name, status, paused }) => ({ labels: { sync: name }, value: Number(status === "active" && !paused) })),
  ),
  gauge("bucardo_kicks_waiting", "Kicks that no run has settled yet.", ["sync"], ({ snapshot }) =>
    snapshot.syncs.map(({ name, kicksWaiting }) => ({ labels: { sync: name }, value: kicksWaiting })),
  ),
  perSource("bucardo_delta_bytes", "Disk that waiting deltas take on the source.", ({ bytes }) => bytes),
  perSource("bucardo_delta_growth_bytes_per_second", "How fast that grows.", ({ growth }) => growth),
  perSource("bucardo_delta_quota_seconds_left", "Until the quota at this growth; absent: not in sight.", ({ secondsLeft }) => secondsLeft),
  counter("bucardo_runs_total", "Runs that ended, since the daemon started.", [...TARGET, "outcome"], ({ tally }) =>
    (tally?.targets ?? []).flatMap(({ sync, target, good, empty, bad }) =>
      Object.entries({ good, empty, bad }).map(([outcome, value]) => ({ labels: { sync, target, outcome }, value })),
    ),
  ),
  counter("bucardo_rows_total", "Rows written and deleted on the target.", [...TARGET, "kind"], ({ tally }) =>
    (tally?.targets ?? []).flatMap(({ sync, target, upserted, deleted }) =>
      Object.entries({ upserted, deleted }).map(([kind, value]) => ({ labels: { sync, target, kind }, value })),
    ),
  ),
  counter("bucardo_bytes_total", "Bytes of rows carried to the target.", TARGET, ({ tally }) =>
    (tally?.targets ?? []).map(({ sync, target, bytes }) => ({ labels: { sync, target }, value: bytes })),
  ),
  counter(
    "bucardo_conflicts_total",
    "Rows that were changed on two sources, or stood in each other's way, and were decided.",
    TARGET,
    ({ tally }) => (tally?.targets ?? []).map(({ sync, target, conflicts }) => ({ labels: { sync, target }, value: conflicts })),
  ),
  counter("bucardo_run_seconds_total", "Time that runs took.", TARGET, ({ tally }) =>
    (tally?.targets ?? []).map(({ sync, target, seconds: value }) => ({ labels: { sync, target }, value })),
  ),
  {
    name: "bucardo_run_duration_seconds",
    type: "histogram",
    help: "How long runs took, of all syncs together.",
    labels: ["le"],
    points: ({ tally }) => (tally === null ? [] : histogram(tally.lengths)),
  },
  gauge("bucardo_http_listeners", "Pages that listen to the event stream.", [], ({ listeners }) => [{ value: listeners }]),
  counter("bucardo_http_answers_total", "Answers to HTTP requests, by class of status.", ["class"], ({ answers }) =>
    [...answers].map(([name, value]) => ({ labels: { class: name }, value })),
  ),
  gauge("process_resident_memory_bytes", "Memory of the process that answers.", [], ({ process }) => [{ value: process.residentBytes }]),
  counter("process_cpu_seconds_total", "Processor time of the process that answers.", [], ({ process }) => [{ value: process.cpuSeconds }]),
  gauge("process_start_time_seconds", "When the process that answers started, in seconds since 1970.", [], ({ process }) => [
    { value: process.startedAt },
  ]),
];

export function collectMetrics(of: Sources): [Metric, Point[]][] {
  return metrics.map((family) => [family, family.points(of)]);
}

function gauge(name: string, help: string, labels: readonly string[], points: Family["points"]): Family {
  return { name, type: "gauge", help, labels, points };
}

function counter(name: string, help: string, labels: readonly string[], points: Family["points"]): Family {
  return { name, type: "counter", help, labels, points };
}

function perTarget(name: string, help: string, pick: (target: TargetView) => number | null): Family {
  return gauge(name, help, TARGET, ({ snapshot }) =>
    snapshot.targets.flatMap((one) => {
      const value = pick(one);
      return value === null ? [] : [{ labels: { sync: one.sync, target: one.target }, value }];
    }),
  );
}

function perSource(
  name: string,
  help: string,
  pick: (deltas: NonNullable<Snapshot["databases"][number]["deltas"]>) => number | null,
): Family {
  return gauge(name, help, ["db"], ({ snapshot }) =>
    snapshot.databases.flatMap(({ name: db, deltas }) => {
      const value = deltas === null ? null : pick(deltas);
      return value === null ? [] : [{ labels: { db }, value }];
    }),
  );
}

function histogram({ upTo, count, seconds: sum }: Tally["lengths"]): Point[] {
  return [
    ...RUN_SECONDS.map((bound, index) => ({ suffix: "_bucket", labels: { le: String(bound) }, value: upTo[index] ?? 0 })),
    { suffix: "_bucket", labels: { le: "+Inf" }, value: count },
    { suffix: "_sum", value: sum },
    { suffix: "_count", value: count },
  ];
}

function seconds(at: string): number {
  return new Date(at).getTime() / 1000;
}
