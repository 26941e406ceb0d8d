import { BucardoError } from "../model/error.ts";
import { globalOptions, optionNamed, type OptionDeclaration } from "./options.ts";
import { findRc, parseRc, type RcFile, type RcPlaces } from "./rc-file.ts";
import { isSettingName, legacySettings, parseSetting } from "./setting.ts";
import { parseSwitch } from "./value-types.ts";

export type OptionValue = string | number | boolean | readonly string[];

/** What a process was told: flags of the command line, else the environment, else the rc file, else the defaults. */
export type Config = {
  /** How to reach the control database; what is not here follows libpq's rules (PGHOST, ~/.pgpass ...). */
  readonly control: {
    readonly dbname: string;
    readonly user: string;
    readonly host?: string;
    readonly port?: number;
    readonly password?: string;
    readonly conn?: string;
    readonly service?: string;
  };
  /** Null: the setting of the control database. */
  readonly piddir: string | null;
  /** Null: ~/.bucardo/key. */
  readonly keyfile: string | null;
  readonly log: {
    /** `stderr`, `stdout`, `syslog`, `none`, directories or files. Empty: not told. */
    readonly destinations: readonly string[];
    /** Null: the setting of the control database. */
    readonly level: string | null;
    readonly format: "text" | "json";
    readonly extension: string | null;
    readonly clean: boolean;
    readonly separate: boolean;
  };
  /** Settings (config/setting.ts) that this process was told to use instead of those of the control database. */
  readonly overrides: Readonly<Record<string, string>>;
  /** All options by their declared name, wherever they were given. */
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly rcFile: string | null;
  /** Lines of the rc file that have no effect and other doubts, to be shown on stderr. */
  readonly warnings: readonly string[];
};

export type ConfigSources = RcPlaces & {
  readonly argvOptions: Readonly<Record<string, OptionValue>>;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** Throws BucardoError: bad-rc-file, or bad-value with the place where the value was given. */
export function loadConfig({ argvOptions, env, ...places }: ConfigSources): Config {
  const wanted = argvOptions["bucardorc"];
  const rc = findRc(wanted === false || typeof wanted === "string" ? wanted : undefined, places);
  const fromRc = rc === null ? { options: {}, overrides: {}, warnings: [] } : readEntries(rc);
  const options = { ...fromRc.options, ...fromEnvironment(env), ...argvOptions };
  const overrides = { ...fromRc.overrides };
  for (const name of ["piddir", "log-level", "http"] as const) {
    const value = text(options, name);
    if (value !== null) overrides[name.replace("-", "_")] = value;
  }
  if (options["log-showline"] === true) overrides["log_showline"] = "on";
  const mail = text(options, "sendmail");
  if (mail !== null) overrides["sendmail"] = mail;
  if (mail !== null) inPlace("--sendmail", () => parseSetting("sendmail", mail));
  const level = overrides["log_level"] ?? null;
  if (level !== null) parseSetting("log_level", level);
  if (overrides["http"] !== undefined) parseSetting("http", overrides["http"]);
  return {
    control: controlOf(options),
    piddir: text(options, "piddir"),
    keyfile: text(options, "keyfile"),
    log: {
      destinations: list(options, "log-destination") ?? destinationsOfFour(options),
      level,
      format: formatOf(text(options, "log-format") ?? "text"),
      extension: text(options, "log-extension"),
      clean: options["log-clean"] === true,
      separate: options["log-separate"] === true,
    },
    overrides,
    options,
    rcFile: rc?.path ?? null,
    warnings: fromRc.warnings,
  };
}

type Read = { options: Record<string, OptionValue>; overrides: Record<string, string>; warnings: string[] };

function readEntries(rc: RcFile): Read {
  const { entries, bad } = parseRc(rc.text);
  const read: Read = {
    options: {},
    overrides: {},
    warnings: bad.map((line) => `${rc.path}, line ${line}: not of the form \`name = value\`; ignored`),
  };
  for (const { name, value, line } of entries) {
    const where = `${rc.path}, line ${line}`;
    const option = optionNamed(name);
    const settingName = name.toLowerCase().replaceAll("-", "_");
    if (option && !option.lineOnly) {
      const before = read.options[option.name];
      const after = valueOf(option, value, where);
      read.options[option.name] = Array.isArray(before) && Array.isArray(after) ? [...before, ...after] : after;
    } else if (isSettingName(settingName)) {
      inPlace(where, () => parseSetting(settingName, value));
      read.overrides[settingName] = value;
    } else if (!legacySettings.includes(settingName)) {
      read.warnings.push(
        `${where}: ${option ? `${name} is only for the command line` : `there is no option or setting "${name}"`}; ignored`,
      );
    }
  }
  if (read.options["dbpass"] !== undefined && (rc.mode & 0o077) !== 0)
    read.warnings.push(`${rc.path} holds a password and may be read by others: chmod 600 it`);
  return read;
}

function fromEnvironment(env: ConfigSources["env"]): Record<string, OptionValue> {
  const given = globalOptions.flatMap((option) => {
    const value = option.env === undefined ? undefined : env[option.env];
    return value === undefined || value === "" ? [] : [[option.name, valueOf(option, value, option.env ?? "")] as const];
  });
  return Object.fromEntries(given);
}

/** Flags of the environment are switched on by any value but a no, as `BUCARDO_CONFIRM=1`. */
function valueOf(option: OptionDeclaration, value: string, where: string): OptionValue {
  switch (option.type) {
    case "flag": {
      const on = parseSwitch(value);
      if (on === null) throw new BucardoError("bad-value", `${where}: ${option.name} must be on or off, not "${value}"`);
      return on;
    }
    case "count":
      return /^\d+$/.test(value) ? Number(value) : Number(parseSwitch(value) ?? true);
    case "list":
      return [value];
    case "integer":
      portOf(value, `${where}: `);
      return value;
    case "text":
      return value;
  }
}

function controlOf(options: Read["options"]): Config["control"] {
  const host = text(options, "dbhost");
  const port = text(options, "dbport");
  const password = text(options, "dbpass");
  const conn = text(options, "dbconn");
  const service = text(options, "dbservice");
  return {
    dbname: text(options, "dbname") ?? "bucardo",
    user: text(options, "dbuser") ?? "bucardo",
    ...(host !== null && { host }),
    ...(port !== null && { port: portOf(port) }),
    ...(password !== null && { password }),
    ...(conn !== null && { conn }),
    ...(service !== null && { service }),
  };
}

/** The only whole number among the options. */
function portOf(value: string, place = ""): number {
  const port = /^\d+$/.test(value) ? Number(value) : NaN;
  if (port >= 1 && port <= 65535) return port;
  throw new BucardoError("bad-value", `${place}dbport must be a whole number from 1 to 65535, not "${value}"`);
}

function formatOf(value: string): "text" | "json" {
  if (value === "text" || value === "json") return value;
  throw new BucardoError("bad-value", `log-format must be text or json, not "${value}"`);
}

function text(options: Read["options"], name: string): string | null {
  const value = options[name];
  return typeof value === "string" && value !== "" ? value : null;
}

function list(options: Read["options"], name: string): readonly string[] | null {
  const value = options[name];
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value : null;
}

/** The options of version 4: `--debugsyslog --debugfile --debugdir=.` */
function destinationsOfFour(options: Read["options"]): readonly string[] {
  const directory = text(options, "debugdir");
  const file = options["debugfile"] === true || (directory !== null && options["debugfile"] !== false);
  return [...(options["debugsyslog"] === true ? ["syslog"] : []), ...(file ? [directory ?? "."] : [])];
}

function inPlace(where: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (error instanceof BucardoError) throw new BucardoError(error.code, `${where}: ${error.message}`, error.details);
    throw error;
  }
}
