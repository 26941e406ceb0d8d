import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { BucardoError } from "../model/error.ts";
import { openDestination, type Destination } from "./destination.ts";
import { errorFields } from "./error-fields.ts";
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
  /** `stderr`, `stdout`, `none`, or directories. */
  readonly destinations: readonly string[];
  /** One of the setting log_level. */
  readonly level?: string;
  readonly format?: "text" | "json";
  /** `log.bucardo.EXTENSION`. */
  readonly extension?: string | null;
  /** Removes log.bucardo.* of the directories first. */
  readonly clean?: boolean;
};

/** A log with its end: files are opened again by reopen() (after logrotate has moved them) and closed by close(). */
export type OpenLog = Log & { reopen(): void; close(): void; setLevel(level: string): void };

const FILE = "log.bucardo";

/** Throws BucardoError bad-value when a file cannot be written. Lines are written at once: a killed process has said everything. */
export function openLog(options: LogOptions): OpenLog {
  const { destinations, level = "normal", format = "text", extension = null, clean = false, ...style } = options;
  if (clean) for (const directory of destinations.filter(isDirectory)) removeOldLogs(directory);
  const outs: Destination[] = destinations
    .filter((name) => name !== "none")
    .map((name) => openDestination(isDirectory(name) ? join(name, extension ? `${FILE}.${extension}` : FILE) : name));
  const write = (json: string) => {
    const line = format === "json" ? json : textLine(json, style);
    for (const out of outs) out.write(line);
  };
  const log = pino(
    {
      level: pinoLevel(level),
      base: { pid: process.pid },
      serializers: { err: errorFields },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    { write },
  );
  return Object.assign(log as unknown as Log, {
    reopen: () => outs.forEach((out) => out.reopen()),
    close: () => outs.forEach((out) => out.close()),
    setLevel: (name: string) => void (log.level = pinoLevel(name)),
  });
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

function isDirectory(name: string): boolean {
  if (name === "syslog")
    throw new BucardoError("not-supported", "log destination syslog is not supported", {
      advice: "Log to stderr; systemd or `logger` carries it on.",
    });
  return !["stderr", "stdout", "none"].includes(name);
}

function removeOldLogs(directory: string): void {
  for (const name of readdirSync(directory)) if (name.startsWith(`${FILE}.`)) rmSync(join(directory, name));
}
