import { readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pino } from "pino";
import { BucardoError } from "../model/error.ts";
import { isDirectory, logFileOf, openFile, openStream, type Destination } from "./destination.ts";
import { errorFields } from "./error-fields.ts";
import { placeOfCaller } from "./place.ts";
import { openSyslog, type Syslog } from "./syslog.ts";
import { textLine, type TextStyle } from "./text-line.ts";

/** The only names of fields in the log. Values of rows never belong here. */
export type LogFields = {
  readonly sync?: string | undefined;
  readonly db?: string | undefined;
  readonly target?: string | undefined;
  readonly run?: string | number | undefined;
  readonly table?: string | undefined;
  readonly sqlstate?: string | undefined;
  readonly code?: string | undefined;
  readonly pid?: number | undefined;
  readonly ms?: number | undefined;
  readonly rows?: number | undefined;
  readonly bytes?: number | undefined;
  readonly err?: unknown;
};

export interface LogMethod {
  (message: string): void;
  (fields: LogFields, message: string): void;
}

export interface Log {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** The daemon ends because of it. */
  readonly fatal: LogMethod;
  /** A log that adds these fields to every line. */
  child(fields: LogFields): Log;
}

export type LogOptions = Partial<TextStyle> & {
  /** `stderr`, `stdout`, `syslog`, `none`, directories, or files. */
  readonly destinations: readonly string[];
  /** One of the setting log_level. */
  readonly level?: string;
  readonly format?: "text" | "json";
  /** `log.bucardo.EXTENSION`. */
  readonly extension?: string | null;
  /** Removes log.bucardo.* of the directories first. */
  readonly clean?: boolean;
  /** Each sync's lines also in a file of their own, `log.bucardo.SYNC`, beside the common one. */
  readonly separate?: boolean;
  /** A file that gets the warnings and errors too. */
  readonly warningFile?: string | null;
  /** Number of the syslog facility. */
  readonly facility?: number;
  /** The line of the program that each line comes from. */
  readonly showLine?: boolean;
};

/** A log with its end: files are opened again by reopen() (after logrotate has moved them) and closed by close(). */
export type OpenLog = Log & { reopen(): void; close(): void; setLevel(level: string): void };

type Entry = { readonly level: string; readonly sync?: string };

/** Throws BucardoError bad-value when a file cannot be written. Lines are written at once: a killed process has said everything. */
export function openLog(options: LogOptions): OpenLog {
  const { level = "normal", format = "text", showLine = false } = options;
  const outs = openOuts(options);
  const write = (json: string): void => {
    const line = format === "json" ? json : textLine(json, options);
    outs.write(line, json);
  };
  const log = pino(
    {
      level: pinoLevel(level),
      base: { pid: process.pid },
      serializers: { err: errorFields },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      ...(showLine && { mixin: () => ({ line: placeOfCaller() }) }),
    },
    { write },
  );
  return Object.assign(log as unknown as Log, {
    reopen: () => outs.reopen(),
    close: () => outs.close(),
    setLevel: (name: string) => void (log.level = pinoLevel(name)),
  });
}

type Outs = { write(line: string, json: string): void; reopen(): void; close(): void };

/** Everything that a line goes to. */
function openOuts({
  destinations,
  extension = null,
  clean = false,
  separate = false,
  warningFile = null,
  facility = 17,
}: LogOptions): Outs {
  if (clean) for (const directory of destinations.filter((one) => !isWord(one) && isDirectory(one))) removeOldLogs(directory);
  const common: Destination[] = [];
  const files: string[] = [];
  let syslog: Syslog | null = null;
  for (const name of destinations) {
    const file = logFileOf(name, extension);
    if (file !== null) files.push(file);
    else if (name === "stderr" || name === "stdout") common.push(openStream(name));
    else if (name === "syslog") syslog ??= openSyslog(facility);
  }
  common.push(...files.map(openFile));
  const warnings = warningFile === null ? null : openFile(resolve(dirname(files[0] ?? "."), warningFile));
  const ofSync = new Map<string, readonly Destination[]>();
  const destinationsOf = (sync: string): readonly Destination[] => {
    const known = ofSync.get(sync) ?? files.map((file) => openFile(`${file}.${sync}`));
    ofSync.set(sync, known);
    return known;
  };
  const every = (): Destination[] => [...common, ...(warnings === null ? [] : [warnings]), ...[...ofSync.values()].flat()];
  return {
    write(line, json) {
      for (const out of common) out.write(line);
      if (syslog === null && warnings === null && !separate) return;
      const entry = JSON.parse(json) as Entry;
      syslog?.write(line, entry.level);
      if (["warn", "error", "fatal"].includes(entry.level)) warnings?.write(line);
      if (separate && entry.sync !== undefined) for (const out of destinationsOf(entry.sync)) out.write(line);
    },
    reopen: () => every().forEach((out) => out.reopen()),
    close() {
      every().forEach((out) => out.close());
      syslog?.close();
    },
  };
}

/** A log that says nothing. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}

/** Both versions' words and pino's. */
function pinoLevel(word: string): string {
  const levels: Readonly<Record<string, string>> = {
    error: "error",
    warn: "warn",
    terse: "info",
    normal: "info",
    info: "info",
    verbose: "debug",
    debug: "debug",
    debug2: "trace",
  };
  const level = levels[word.toLowerCase()];
  if (level === undefined) throw new BucardoError("bad-value", `log level must be one of ${Object.keys(levels).join(", ")}, not "${word}"`);
  return level;
}

function isWord(name: string): boolean {
  return ["stderr", "stdout", "none", "syslog"].includes(name);
}

function removeOldLogs(directory: string): void {
  for (const name of readdirSync(directory)) if (name.startsWith("log.bucardo.")) rmSync(join(directory, name), { force: true });
}
