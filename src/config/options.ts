/**
 * Every option that all commands take, declared once: the command line, the rc file, the environment and the help are read off here.
 * Dashes, underscores and case do not count in names.
 */
export type OptionDeclaration = {
  readonly name: string;
  /** Long ones, and letters. */
  readonly aliases: readonly string[];
  /** count: may be repeated, each time one more. list: may be repeated, collects. */
  readonly type: "flag" | "count" | "text" | "integer" | "list";
  /** `--no-x` is understood. */
  readonly negatable: boolean;
  readonly help: string;
  /** Environment variable that stands for it. */
  readonly env?: string;
  /** For the help; the value is applied by load.ts. */
  readonly default?: string;
  /** Only on the command line: means nothing in an rc file. */
  readonly lineOnly?: boolean;
  /** Of versions 4 and 5, accepted and without effect. */
  readonly legacy?: boolean;
};

type Extra = Partial<Omit<OptionDeclaration, "name" | "type" | "help">>;

function option(name: string, type: OptionDeclaration["type"], help: string, extra: Extra = {}): OptionDeclaration {
  return { name, type, help, aliases: [], negatable: false, ...extra };
}

export const globalOptions: readonly OptionDeclaration[] = [
  option("dbname", "text", "control database", { aliases: ["d"], env: "BUCARDO_DBNAME", default: "bucardo" }),
  option("dbuser", "text", "user on the control database", { aliases: ["U"], env: "BUCARDO_DBUSER", default: "bucardo" }),
  option("dbpass", "text", "its password; better kept in ~/.pgpass", { aliases: ["P"], env: "BUCARDO_DBPASS" }),
  option("dbhost", "text", "host of the control database, or directory of its socket", {
    aliases: ["h"],
    env: "BUCARDO_DBHOST",
  }),
  option("dbport", "integer", "its port", { aliases: ["p"], env: "BUCARDO_DBPORT" }),
  option("dbconn", "text", "more libpq words for it, e.g. sslmode=verify-full", { env: "BUCARDO_DBCONN" }),
  option("dbservice", "text", "name in the service file for it", { env: "BUCARDO_DBSERVICE" }),
  option("bucardorc", "text", "rc file to read instead of ./.bucardorc, ~/.bucardorc or /etc/bucardorc; --no-bucardorc reads none", {
    negatable: true,
    lineOnly: true,
  }),
  option("keyfile", "text", "file with the key that seals stored passwords", {
    env: "BUCARDO_KEYFILE",
    default: "~/.bucardo/key",
  }),
  option("http", "text", "where the daemon serves its page: HOST:PORT, or off", { env: "BUCARDO_HTTP" }),
  option("piddir", "text", "directory of pid and stop file", { env: "BUCARDO_PIDDIR" }),
  option(
    "log-destination",
    "list",
    "stderr, stdout, syslog, none, a file, or a directory, in which the file is log.bucardo; may be repeated",
    {
      aliases: ["log-dest"],
    },
  ),
  option("log-level", "text", "warn, normal, verbose or debug"),
  option("log-format", "text", "text or json", { default: "text" }),
  option("log-extension", "text", "appended to the name of the log file", { aliases: ["log-ext", "debugname"] }),
  option("log-clean", "flag", "delete log.bucardo.* when the daemon starts", { aliases: ["cleandebugs"] }),
  option("json", "flag", "print what was read as JSON", { lineOnly: true }),
  option("batch", "flag", "ask nothing"),
  option("confirm", "flag", "ask before changes are committed", { env: "BUCARDO_CONFIRM" }),
  option("dryrun", "flag", "check everything, change nothing"),
  option("force", "flag", "go on where a check says no", { lineOnly: true }),
  option("quiet", "count", "print less; may be repeated", { aliases: ["q"] }),
  option("verbose", "count", "print more; may be repeated", { aliases: ["v"] }),
  option("vv", "flag", "verbose twice"),
  option("vvv", "flag", "verbose three times"),
  option("vvvv", "flag", "verbose four times"),
  option("debug", "count", "tell more of what is done", { env: "BUCARDO_DEBUG" }),
  option("help", "flag", "this help, or that of a command", { aliases: ["?"], lineOnly: true }),
  option("version", "flag", "print the version", { lineOnly: true }),
  option("log-separate", "flag", "each sync's lines also in a file of their own, log.bucardo.SYNC", {
    aliases: ["log-sep", "debugfilesep"],
  }),
  option("log-showline", "flag", "the line of the program that each line of the log comes from"),
  option("sendmail", "text", "off: this daemon sends no mails"),
  option("extra-name", "text", "stands in the title of the daemon's process"),
  option("exit-on-nosync", "flag", "a daemon without an active sync ends", { negatable: true }),
  option("quickstart", "flag", "no effect: starting checks no tables", { legacy: true }),
  option("show-days", "flag", "status: times with the days since"),
  option("compress", "flag", "status: narrow columns"),
  option("tsep", "text", "status: what stands between the thousands of numbers"),
  option("debugsyslog", "flag", "as --log-destination=syslog", { legacy: true }),
  option("debugfile", "flag", "as --log-destination with the directory of --debugdir", { legacy: true }),
  option("debugdir", "text", "as --log-destination", { legacy: true }),
  option("bcverbose", "flag", "no effect", { legacy: true }),
];

/** Dashes, underscores and case do not count. */
export function plainName(name: string): string {
  return name.replace(/[-_]/g, "").toLowerCase();
}

/** The option that a name of the rc file stands for, or null. */
export function optionNamed(name: string): OptionDeclaration | null {
  const wanted = plainName(name);
  return (
    globalOptions.find((each) => [each.name, ...each.aliases].some((known) => known.length > 1 && plainName(known) === wanted)) ?? null
  );
}
