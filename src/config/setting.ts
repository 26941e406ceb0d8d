import type { z } from "zod";
import { BucardoError } from "../model/error.ts";
import { lockModes } from "../model/lock-mode.ts";
import {
  choice,
  duration,
  durationOrNone,
  facility,
  httpAddress,
  plainText,
  size,
  sizeOrNone,
  toggle,
  webUrl,
  whole,
} from "./value-types.ts";

/** A setting of the control database (`bucardo set NAME=VALUE`, `bucardo show`); rc file and command line override it for one process. */
export type SettingDeclaration<Type extends z.ZodType = z.ZodType> = {
  readonly type: Type;
  /** As text, as `show` prints it. */
  readonly default: string;
  readonly meaning: string;
  /** A sync may have its own: `bucardo set sync=SYNC NAME=VALUE`. */
  readonly perSync?: true;
  /** Sealed with the key file before it is stored, and never shown. */
  readonly secret?: true;
};

type Extra = Pick<SettingDeclaration, "perSync" | "secret">;

function setting<Type extends z.ZodType>(type: Type, initial: string, meaning: string, extra: Extra = {}): SettingDeclaration<Type> {
  return { type, default: initial, meaning, ...extra };
}

const perSync = { perSync: true } as const;
const secret = { secret: true } as const;

/** Times are milliseconds once parsed, sizes bytes. */
export const settings = {
  poll_interval: setting(
    duration,
    "50 ms",
    "How often a source with autokick syncs is asked whether anything was committed, while it is awake.",
  ),
  idle_close: setting(duration, "5 minutes", "A target without a run for so long has its connections closed.", perSync),
  retry_first: setting(duration, "250 ms", "Wait after the first failure of a run; doubled by each further one.", perSync),
  retry_longest: setting(duration, "30 seconds", "Longest wait between two attempts of a failing run.", perSync),
  retry_stopped: setting(
    duration,
    "1 minute",
    "How soon a target that was stopped by a row or a table it cannot take is tried again by itself; each further time later, up to ten times as long.",
    perSync,
  ),
  stop_grace: setting(duration, "60 seconds", "How long a stop lets current runs finish before it breaks them off."),
  purge_interval: setting(duration, "60 seconds", "How often delivered deltas are purged from the sources."),
  lag_interval: setting(duration, "10 seconds", "How often the lag of each target is counted."),
  history_days: setting(whole(0, 36_500), "90", "Runs older than this are dropped from the history."),
  history_runs: setting(whole(1, 10_000_000), "1000", "Runs kept per sync and target."),
  conflict_days: setting(whole(0, 36_500), "90", "Conflicts decided longer ago than this are dropped from their log."),
  conflict_rows: setting(whole(0, 10_000_000), "100000", "Conflicts kept per sync."),
  delta_quota: setting(sizeOrNone, "none", "Disk that waiting deltas may take on each source."),
  delta_quota_policy: setting(
    choice("warn", "pause", "release"),
    "warn",
    "What happens at the quota: warn only, pause the copy, or release the sync that is furthest behind (it then needs a new copy).",
  ),
  copy_piece: setting(
    sizeOrNone,
    "64 MB",
    "Tables that are copied whole in one run's transaction, together at most; what is larger is copied in pieces of this size, beside the runs. none: always in a run.",
  ),
  copy_jobs: setting(
    whole(1, 64),
    "2",
    "Pieces of tables that are copied at a time, for each target of a sync; each takes a connection to either side.",
  ),
  copy_rate: setting(sizeOrNone, "none", "Bytes a second that such a copy of one target may move."),
  copy_added: setting(
    choice("always", "never"),
    "always",
    "Whether a table or target that joins a living sync is copied by itself; never: its changes count from then on.",
  ),
  lock_timeout: setting(
    duration,
    "2 seconds",
    "How long installing capture on a table waits for its lock before it lets the application go on and tries again.",
  ),
  lock_attempts: setting(whole(1, 1000), "30", "How often it tries."),
  customcode_timeout: setting(
    duration,
    "1 minute",
    "How long one call of custom code may take before its process is killed and the run fails.",
  ),
  customcode_memory: setting(size, "256 MB", "Memory that custom code may take; beyond it its process ends and the run fails."),
  customcode_mails: setting(
    whole(0, 100_000),
    "20",
    "Mails that custom code of a sync may send within an hour; what is more is not sent, and the log says so.",
    perSync,
  ),
  max_connections: setting(whole(2, 10_000), "20", "Connections that this process may hold to one server."),
  notify_kicks: setting(
    toggle,
    "on",
    "Whether NOTIFY bucardo, 'kick_sync_S' and NOTIFY bucardo_kick_sync_S kick, on the control database and on sources; anyone who may connect can send them.",
  ),
  force_lock: setting(
    choice("none", ...lockModes),
    "none",
    "Every run locks its tables on the target in this mode. For one run: a file bucardo-force-lock-SYNC in piddir, with the mode in it.",
    perSync,
  ),
  max_runs: setting(
    whole(0, 100_000),
    "0",
    "Runs that may go on at once; 0: as many as come. Limits of single databases: sourcelimit and targetlimit of `update db`.",
  ),
  limitdbs: setting(whole(0, 100_000), "0", "Targets of a sync that may be served at once; 0: all.", perSync),
  reload_config_timeout: setting(duration, "30 seconds", "How long `reload` waits for the daemon."),
  log_level: setting(choice("error", "warn", "terse", "normal", "info", "verbose", "debug", "debug2"), "normal", "What goes into the log."),
  log_showpid: setting(toggle, "on", "The process id in each line of the log."),
  log_showlevel: setting(toggle, "on", "The level in each line of the log."),
  log_showtime: setting(choice("0", "1", "2", "3"), "3", "The time in each line of the log: 0 none, 1 seconds since 1970, 2 UTC, 3 local."),
  log_showsyncname: setting(toggle, "on", "The name of the sync in each line of the log."),
  log_showline: setting(toggle, "off", "The line of the program that each line of the log comes from."),
  log_timer_format: setting(plainText, "", "Form of the time in the log, in the codes of strftime; nothing: the usual form."),
  warning_file: setting(plainText, "", "A file that gets the warnings and errors too; relative to the directory of the log."),
  syslog_facility: setting(facility, "LOG_LOCAL1", "Facility of --log-destination=syslog."),
  piddir: setting(plainText, "/var/run/bucardo", "Directory of pid and stop file."),
  stopfile: setting(plainText, "fullstopbucardo", "Name of the stop file in piddir."),
  reason_file: setting(plainText, "bucardo.restart.reason.txt", "File in piddir that keeps the reasons of starts and stops."),
  http: setting(
    httpAddress,
    "127.0.0.1:8432",
    "Where the daemon serves its page, operations, events and metrics: HOST:PORT, or off. Other machines can come only to an address with a certificate.",
  ),
  http_certificate: setting(plainText, "", "File with the certificate (PEM, with its chain) for http beyond this machine."),
  http_key: setting(plainText, "", "File with the key of that certificate (PEM)."),
  http_insecure: setting(toggle, "off", "Serve beyond this machine without a certificate: token and data are readable on the way."),
  http_hosts: setting(
    plainText,
    "",
    "Names, with commas, by which the page may be called besides localhost, this host's name and addresses.",
  ),
  overdue: setting(
    durationOrNone,
    "none",
    "A target that was not up to date for so long is overdue: `check` warns, and an alert is sent.",
    perSync,
  ),
  expired: setting(durationOrNone, "none", "The same, but worse: `check` calls it critical.", perSync),
  alert_lag: setting(
    durationOrNone,
    "15 minutes",
    "Lag that is a problem: changes wait for so long. Syncs that run only when kicked have none.",
    perSync,
  ),
  alert_conflicts: setting(whole(0, 1_000_000), "1", "So many conflicts within an hour are a problem; 0: none ever.", perSync),
  alert_delta_disk: setting(
    sizeOrNone,
    "none",
    "Disk that waiting deltas may take on a source before that is a problem; reaching delta_quota always is.",
  ),
  alert_after: setting(
    duration,
    "1 minute",
    "How long a problem that may heal by itself must last before people are told of it. A sync that stopped is told of at once.",
    perSync,
  ),
  alert_settle: setting(duration, "1 minute", "How long a problem must be gone before people are told that it is over."),
  alert_pause: setting(duration, "1 minute", "Time between two messages to the same place; all that is new by then comes in one."),
  alert_interval: setting(duration, "10 seconds", "How often the daemon looks for problems."),
  alert_daemon: setting(toggle, "on", "Whether people are told that the daemon started or stopped."),
  alert_timeout: setting(duration, "10 seconds", "How long the receiver of a webhook may take to answer."),
  alert_webhook: setting(
    webUrl,
    "",
    "URL that alerts are POSTed to as JSON. env:NAME: it stands in that variable of the daemon's environment.",
    secret,
  ),
  alert_webhook_secret: setting(
    plainText,
    "",
    "Key of the HMAC by which the receiver knows that an alert is ours. env:NAME is understood.",
    secret,
  ),
  sendmail: setting(toggle, "on", "Whether alerts are mailed, when default_email_to says to whom."),
  default_email_to: setting(plainText, "", "Whom alerts are mailed to, several with commas; nothing, or nobody@example.com: nobody."),
  default_email_from: setting(plainText, "", "Sender of the mails; nothing: bucardo at the name of this host."),
  default_email_host: setting(plainText, "localhost", "Mail server (SMTP)."),
  default_email_port: setting(whole(1, 65_535), "25", "Its port."),
  email_tls: setting(
    choice("auto", "require", "tls", "off"),
    "auto",
    "auto: STARTTLS where it is offered, but not towards this very machine; require: never without; tls: from the first byte; off.",
  ),
  email_auth_user: setting(plainText, "", "User on the mail server."),
  email_auth_pass: setting(plainText, "", "Password there. env:NAME is understood.", secret),
  email_program: setting(plainText, "", "Path of a sendmail program, which is then used instead of a mail server."),
  email_debug_file: setting(plainText, "", "A file that every mail is appended to as well."),
  stats_script_url: setting(plainText, "", "A URL that stands in every mail."),
  host_safety_check: setting(plainText, "", "The daemon starts only on these hosts: a name, =a,b,c for several, ~regex."),
} as const satisfies Record<string, SettingDeclaration>;

/** Settings that a sync may have of its own. */
export const syncSettings: readonly SettingName[] = (Object.keys(settings) as SettingName[]).filter(
  (name) => declarationOf(name).perSync === true,
);

export function declarationOf(name: SettingName): SettingDeclaration {
  return settings[name];
}

export type SettingName = keyof typeof settings;
export type Settings = { readonly [Name in SettingName]: z.output<(typeof settings)[Name]["type"]> };

/** Settings of versions 4 and 5 that mean nothing here: accepted, kept, listed as such. */
export const legacySettings: readonly string[] = [
  "audit_pid",
  "autosync_ddl",
  "bucardo_vac",
  "bucardo_version",
  "ctl_checkabortedkids_time",
  "ctl_checkonkids_time",
  "ctl_createkid_time",
  "ctl_nothingfound_sleep",
  "ctl_pingtime",
  "ctl_sleep",
  "default_conflict_strategy",
  "endsync_sleep",
  "flatfile_dir",
  "isolation_level",
  "kick_sleep",
  "kid_abort_limit",
  "kid_abort_sleep",
  "kid_deadlock_sleep",
  "kid_nodeltarows_sleep",
  "kid_nothingfound_sleep",
  "kid_pingtime",
  "kid_restart_sleep",
  "kid_serial_sleep",
  "kid_sleep",
  "log_conflict_details",
  "log_conflict_file",
  "log_microsecond",
  "max_delete_clause",
  "max_select_clause",
  "mcp_dbproblem_sleep",
  "mcp_loop_sleep",
  "mcp_pingtime",
  "mcp_vactime",
  "pidfile",
  "quick_delta_check",
  "semaphore_table",
  "statement_chunk_size",
  "tcp_keepalives_count",
  "tcp_keepalives_idle",
  "tcp_keepalives_interval",
  "upsert_attempts",
  "vac_run",
  "vac_sleep",
];

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name);
}

/** The value that a text means; BucardoError bad-value when it means none. */
export function parseSetting<Name extends SettingName>(name: Name, text: string): Settings[Name] {
  const result = settings[name].type.safeParse(text);
  if (result.success) return result.data as Settings[Name];
  throw new BucardoError("bad-value", `${name} ${result.error.issues[0]?.message ?? "has no such value"}`, {
    advice: settings[name].meaning,
  });
}

/** Every setting: the default, else what the control database has, else what this process was told. Unknown and legacy names are left out. */
export function resolveSettings(stored: Readonly<Record<string, string>>, overrides: Readonly<Record<string, string>> = {}): Settings {
  const values = (Object.keys(settings) as SettingName[]).map(
    (name) => [name, parseSetting(name, overrides[name] ?? stored[name] ?? settings[name].default)] as const,
  );
  return Object.fromEntries(values) as Settings;
}
