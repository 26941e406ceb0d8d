import { describePlace } from "../postgres/failure.ts";
import type { OpenRunGlance, RunGlance, SyncGlance, TargetGlance } from "../control/overview.ts";
import type { DaemonRow } from "../control/daemon.ts";
import type { Dbgroup } from "../control/dbgroup.ts";
import type { SourceState } from "../control/source-state.ts";
import { filesOf, sourcesOf, targetsOf, type Database, type DbgroupMember } from "../model/sync.ts";
import { wordOf } from "../operations/daemon/status-read.ts";
import type { DaemonView, DatabaseView, GroupView, RunningView, RunView, SyncView, TargetView } from "./page-types.ts";

/** What changes only when somebody changes it. */
export type Definitions = {
  readonly databases: readonly Database[];
  readonly groups: readonly Dbgroup[];
  readonly syncs: readonly SyncGlance[];
};

/** What changes by itself. */
export type State = {
  readonly alive: boolean;
  readonly daemon: DaemonRow | null;
  readonly targets: readonly TargetGlance[];
  readonly running: readonly OpenRunGlance[];
  readonly kicks: readonly { readonly sync: string; readonly waiting: number }[];
  readonly sources: readonly SourceState[];
};

export type ControlView = {
  readonly daemon: DaemonView;
  readonly databases: readonly DatabaseView[];
  readonly groups: readonly GroupView[];
  readonly syncs: readonly SyncView[];
  readonly targets: readonly TargetView[];
};

/** The control database as the page sees it. `up`: the daemon is this very process, and whether it is ready; null: it is another one. Pure. */
export function viewControl(of: Definitions, state: State, up: boolean | null): ControlView {
  const daemon = daemonView(state, up);
  const targets = of.syncs.flatMap((sync) => targetsOf(membersOf(of, sync)).map((target) => targetView(sync, target, state)));
  return {
    daemon,
    databases: of.databases.map((db) => databaseView(db, state.sources)),
    groups: of.groups.map(({ name, members }) => ({ name, members: [...members] })),
    syncs: of.syncs.map((sync) => syncView(of, sync, state, targets, daemon.state !== "off")),
    targets,
  };
}

function daemonView({ daemon, alive }: State, up: boolean | null): DaemonView {
  const lives = up ?? alive;
  const ready = up ?? (alive && (daemon?.ready ?? null) !== null);
  return {
    state: ready ? "up" : lives || up === false ? "starting" : "off",
    pid: daemon?.pid ?? null,
    host: daemon?.host ?? null,
    version: daemon?.version ?? null,
    reason: daemon?.reason ?? null,
    started: text(daemon?.started),
    ready: text(daemon?.ready),
    stopped: text(daemon?.stopped),
  };
}

function databaseView(db: Database, sources: readonly SourceState[]): DatabaseView {
  const source = sources.find((one) => one.db === db.name);
  return {
    name: db.name,
    status: db.status,
    place: placeOf(db),
    deltas:
      source === undefined
        ? null
        : {
            bytes: source.bytes,
            growth: source.growth,
            secondsLeft: source.secondsLeft,
            note: source.note,
            checked: source.checked.toISOString(),
          },
  };
}

/** Nothing of `conn` but what is said plainly: it may hold a password. */
function placeOf(database: Database): string {
  const { host, port, dbname, service, name } = database;
  const files = filesOf(database);
  if (files !== null) return `${files.type} in ${files.directory}`;
  if (service !== null && host === null) return `service ${service}`;
  return `${describePlace({ host: host ?? "localhost", hostaddr: null, port: port ?? 5432 })}/${dbname ?? name}`;
}

function syncView(of: Definitions, sync: SyncGlance, state: State, targets: readonly TargetView[], alive: boolean): SyncView {
  const mine = targets.filter((one) => one.sync === sync.name);
  const { name, status, paused, ready, autokick, checktime, onetimecopy, onError, priority, relgroup, dbgroup, tables, sequences } = sync;
  return {
    name,
    word: wordOf(sync, mine.map(asStatus), alive),
    status,
    paused,
    ready,
    autokick,
    checktime,
    onetimecopy,
    onError,
    priority,
    relgroup,
    dbgroup,
    sources: sourcesOf(membersOf(of, sync)),
    targets: mine.map((one) => one.target),
    tables,
    sequences,
    kicksWaiting: state.kicks.find((kick) => kick.sync === sync.id)?.waiting ?? 0,
  };
}

/** What the word of a sync is made of. */
function asStatus({ state, copy, running, lastGood, lastBad }: TargetView): Parameters<typeof wordOf>[1][number] {
  return { state: state === null ? null : { state, copy }, running, lastGood, lastBad };
}

function targetView(sync: SyncGlance, target: string, state: State): TargetView {
  const found = state.targets.find((one) => one.sync === sync.id && one.target === target);
  const running = state.running.find((run) => run.sync === sync.id && run.target === target);
  const lag =
    found === undefined || found.deltas === null || found.checked === null
      ? null
      : { deltas: found.deltas, ageSeconds: found.lagSeconds ?? 0, checked: found.checked.toISOString() };
  return {
    id: `${sync.name}/${target}`,
    sync: sync.name,
    target,
    state: found?.state ?? null,
    detail: found?.detail ?? null,
    lag,
    setAside: found?.setAside ?? 0,
    copy: found?.copy ?? null,
    running: running === undefined ? null : runningView(running),
    lastGood: runView(found?.good ?? null),
    lastBad: runView(found?.bad ?? null),
  };
}

function runningView({ id, reason, started, step, table, rowsDone, rowsExpected, rate, bytesDone }: OpenRunGlance): RunningView {
  return { id, reason, started: started.toISOString(), step, table, rowsDone, rowsExpected, rate, bytesDone };
}

function runView(run: RunGlance | null): RunView | null {
  if (run === null) return null;
  const { code, message, table, sqlstate, advice, started, ended, ...rest } = run;
  return {
    ...rest,
    started: new Date(started).toISOString(),
    ended: new Date(ended).toISOString(),
    error:
      code === null
        ? null
        : {
            code,
            message: message ?? "",
            advice: advice ?? "",
            ...(table !== null && { table }),
            ...(sqlstate !== null && { sqlstate }),
          },
  };
}

/** Of the sync's dbgroup: sources first, in the order of priority. */
function membersOf({ groups }: Definitions, { dbgroup }: SyncGlance): { readonly members: readonly DbgroupMember[] } {
  return { members: groups.find((group) => group.name === dbgroup)?.members ?? [] };
}

function text(at: Date | null | undefined): string | null {
  return at?.toISOString() ?? null;
}
