/**
 * What the page and the daemon say to each other. Types only, so that the page's build takes nothing else of src/. Times are ISO texts in UTC, sizes
 * bytes, lengths of time seconds unless the name says Ms. Lag is always two numbers. No value of a user's row stands in anything here.
 *
 * Routes (all relative to the origin that served the page; details, limits and headers: docs/http.md):
 *
 *   GET  /                    the page; every file of dist/dashboard is served beside it, none needs a token
 *   GET  /events              text/event-stream, see `ServerEvent`
 *   GET  /api/v1/site         `Site`: what this server serves, whether reading needs the token
 *   GET  /api/v1/<reading operation>?key=value&list=a&list=b      answers `Answer<output>`, e.g. /api/v1/list/dbs?names=old*
 *   POST /api/v1/<any operation>   JSON object of its input (content-type application/json), answers `Answer<output>`, e.g. /api/v1/kick {"syncs":["pepper"]}
 *   GET  /openapi.json        every operation with its input and output
 *   GET  /metrics, /healthz, /readyz
 *
 * An operation's path is its name with slashes: `list syncs` is /api/v1/list/syncs, `migrate cutover` is /api/v1/migrate/cutover. Those the page will want:
 *   GET  list/runs?sync=pepper&target=new&limit=50    history of runs (newest first), each with its counts per table: `RunDetail[]` in `runs`
 *   GET  list/samples?sync=pepper&span=1h             for the plots: `Samples`; span 1h (10 s apart), 2d (5 min), 90d (1 h); without sync: all syncs summed
 *   GET  list/syncs, list/tables, list/dbs, list/dbgroups, show (settings), status, delta
 *   POST kick {syncs}, pause {syncs}, resume {syncs}, validate {syncs}, activate, deactivate, reload
 *   GET  list/set-aside?words=pepper (token: holds row images), POST replay {words}, discard {words}
 *   GET  list/conflict?words=pepper (token: both images), POST replay/conflict {words}
 *   GET  migrate/status, migrate/samples (`MigrationSamples`)
 *   POST migrate/cutover, migrate/switchback {"confirm": NAME, "rehearse": true|false, ...}: `confirm` is the name of the database that is left, as the person
 *        typed it; a rehearsal needs none. The answer comes when it is over; its gates and steps come as events meanwhile.
 *
 * Token: writing operations and those that show row images always need `Authorization: Bearer TOKEN`; everything else does where `Site.readsNeedToken`.
 * `bucardo http token` prints a link `http://127.0.0.1:8432/#token=...`: the page takes the token out of the fragment at once (history.replaceState), keeps it in
 * sessionStorage and never in a URL. EventSource cannot send the header, so read /events with fetch and a stream reader when reads need the token
 * (it may always be done so). 401 means: ask for the token (again).
 *
 * The page may not use inline scripts, inline style attributes in HTML, eval, or anything of another origin: the Content-Security-Policy refuses them
 * (`element.style.x = ...` from a script is allowed).
 */

import type { ErrorView } from "./page-error.ts";
import type { MigrationView } from "./page-move-types.ts";

export type { ErrorView } from "./page-error.ts";
export type { MigrationSamples, MigrationView, TurnView } from "./page-move-types.ts";

/** Every answer of /api/v1 is one of these; the HTTP status says which (2xx: ok). */
export type Answer<Output> = { readonly ok: true; readonly output: Output } | { readonly ok: false; readonly error: ErrorView };

export type Site = {
  readonly version: string;
  /** daemon: it runs in this very process. alone: `bucardo serve` or `migrate watch --http`, which looks from outside. */
  readonly by: "daemon" | "alone";
  /** Whether there is a control database behind it (else only a move), and whether a move is looked at. */
  readonly hasControl: boolean;
  readonly hasMigration: boolean;
  readonly readsNeedToken: boolean;
  /** Whether the token that came with this request is right; false without one. */
  readonly authorized: boolean;
};

/**
 * The stream: `snapshot` first and after every gap, then `change`s. `beat` comes every 15 s when nothing else does: after 40 s without anything the
 * connection is dead. Every event has an id; a reconnect with Last-Event-ID simply gets a new snapshot. `bye`: the server ends (a restart, perhaps):
 * connect again, with growing pauses up to 5 s.
 */
export type ServerEvent =
  | { readonly event: "snapshot"; readonly data: Snapshot }
  | { readonly event: "change"; readonly data: Change }
  | { readonly event: "beat"; readonly data: { readonly at: string } }
  | { readonly event: "bye"; readonly data: { readonly at: string } };

export type Snapshot = {
  readonly at: string;
  readonly site: Pick<Site, "version" | "by" | "hasControl" | "hasMigration">;
  /** null: no control database behind this server. */
  readonly daemon: DaemonView | null;
  readonly databases: readonly DatabaseView[];
  readonly groups: readonly GroupView[];
  readonly syncs: readonly SyncView[];
  readonly targets: readonly TargetView[];
  readonly migration: MigrationView | null;
  /** Why parts of this are old or missing: the control database or the old side of a move does not answer. null: all is well. */
  readonly trouble: { readonly control: ErrorView | null; readonly migration: ErrorView | null };
};

/** What became different; absent: as before. A list's items replace those with the same key, and are gone when their key stands in `gone`. */
export type Change = {
  readonly at: string;
  readonly daemon?: DaemonView | null;
  readonly databases?: Changed<DatabaseView>;
  readonly groups?: Changed<GroupView>;
  readonly syncs?: Changed<SyncView>;
  /** Key: `id` of the target view. */
  readonly targets?: Changed<TargetView>;
  readonly migration?: MigrationView | null;
  readonly trouble?: Snapshot["trouble"];
};

export type Changed<Item> = { readonly put: readonly Item[]; readonly gone: readonly string[] };

export type DaemonView = {
  /** off: never started, stopped, or died (`stopped` is null then). */
  readonly state: "up" | "starting" | "off";
  readonly pid: number | null;
  readonly host: string | null;
  readonly version: string | null;
  readonly reason: string | null;
  readonly started: string | null;
  readonly ready: string | null;
  readonly stopped: string | null;
};

/** Key: name. */
export type DatabaseView = {
  readonly name: string;
  readonly status: "active" | "inactive";
  /** host:port/dbname, for people. */
  readonly place: string;
  /** Disk that waiting deltas take; null: no source of an active sync, or not measured yet. */
  readonly deltas: {
    readonly bytes: number;
    /** Bytes per second. */
    readonly growth: number;
    /** Until the quota; null: not in sight. */
    readonly secondsLeft: number | null;
    readonly note: string | null;
    readonly checked: string;
  } | null;
};

/** A dbgroup. Key: name. */
export type GroupView = {
  readonly name: string;
  readonly members: readonly { readonly db: string; readonly role: string; readonly priority: number }[];
};

/** Key: name. */
export type SyncView = {
  readonly name: string;
  /** One word for all targets together: Good, Bad, Stopped, Paused, Inactive, Off, No records found, or what a run does (Taking, Fetching, Applying, Settling). */
  readonly word: string;
  readonly status: "active" | "inactive";
  readonly paused: boolean;
  /** false: capture is not complete; `validate` finishes it. */
  readonly ready: boolean;
  readonly autokick: boolean;
  readonly checktime: number | null;
  readonly onetimecopy: number;
  readonly onError: string;
  readonly priority: number;
  readonly relgroup: string;
  readonly dbgroup: string;
  /** In the order of priority: the first exchanges its changes with the others, and the targets get them from it. */
  readonly sources: readonly string[];
  /** Where changes are brought to: all members but the first source, other sources too. */
  readonly targets: readonly string[];
  readonly tables: number;
  readonly sequences: number;
  readonly kicksWaiting: number;
};

/** One arrow of the picture: a sync towards one target. Key: id. */
export type TargetView = {
  /** `SYNC/TARGET` */
  readonly id: string;
  readonly sync: string;
  readonly target: string;
  /** Stopped: nothing happens until somebody acts. Waiting: tried again by itself. null: not looked at yet. */
  readonly state: "Idle" | "Waiting" | "Stopped" | "Paused" | null;
  /** Why, and what to do. */
  readonly detail: string | null;
  readonly lag: { readonly deltas: number; readonly ageSeconds: number; readonly checked: string } | null;
  /** Rows that wait to be replayed. */
  readonly setAside: number;
  /** Large tables that are copied in pieces beside the runs; null: none are. Bytes are of the source's disk. */
  readonly copy: {
    readonly tables: number;
    readonly tablesDone: number;
    readonly rows: number;
    readonly diskBytes: number;
    readonly diskBytesDone: number;
    readonly bytesPerSecond: number;
    readonly secondsLeft: number | null;
    readonly paused: boolean;
    /** Of those of which pieces are under way. */
    readonly active: readonly string[];
  } | null;
  readonly running: RunningView | null;
  readonly lastGood: RunView | null;
  readonly lastBad: RunView | null;
};

/** A run that goes on. */
export type RunningView = {
  readonly id: number;
  readonly reason: string;
  readonly started: string;
  readonly step: string | null;
  readonly table: string | null;
  readonly rowsDone: number;
  /** About; null: not known. */
  readonly rowsExpected: number | null;
  /** Rows per second lately; null while none move. */
  readonly rate: number | null;
  readonly bytesDone: number;
};

/** A run that has ended. */
export type RunView = {
  readonly id: number;
  readonly reason: string;
  readonly started: string;
  readonly ended: string;
  readonly outcome: "good" | "empty" | "bad";
  readonly upserted: number;
  readonly deleted: number;
  /** Tables that were filled as a whole. */
  readonly truncates: number;
  readonly bytes: number;
  readonly error: ErrorView | null;
};

/** Of `list runs`. Also runs that go on (`ended` null). */
export type RunDetail = Omit<RunView, "ended" | "outcome"> & {
  readonly sync: string;
  readonly target: string;
  readonly ended: string | null;
  readonly outcome: "good" | "empty" | "bad" | null;
  readonly tables: readonly {
    readonly table: string;
    readonly upserted: number;
    readonly deleted: number;
    readonly refilled: boolean;
    readonly why?: string | undefined;
    readonly setAside?: number | undefined;
    readonly overwritten?: number | undefined;
    readonly conflicts?: number | undefined;
    readonly bytes?: number | undefined;
    readonly ms?: number | undefined;
  }[];
};

/** Of `list samples`. Points are in the order of time; where the daemon was off there are none for longer than `gapSeconds`. */
export type Samples = {
  readonly from: string;
  readonly to: string;
  /** Between two points. */
  readonly stepSeconds: number;
  /** Points further apart than this are not to be joined. */
  readonly gapSeconds: number;
  readonly series: readonly {
    /** null: all syncs together. */
    readonly sync: string | null;
    readonly target: string | null;
    readonly points: readonly SamplePoint[];
  }[];
};

/** [seconds since 1970, deltas waiting at most, age of the oldest at most (s), rows written, bytes carried, runs that did something, runs that failed], each within the step. */
export type SamplePoint = readonly [
  at: number,
  deltas: number | null,
  ageSeconds: number | null,
  rows: number,
  bytes: number,
  runs: number,
  failed: number,
];
