import type { Log, LogFields } from "../../src/telemetry/log.ts";

export type MemoryLog = Log & { readonly lines: string[] };

/** A log that keeps its lines, for tests that ask what was said. */
export function memoryLog(lines: string[] = [], more: LogFields = {}): MemoryLog {
  const say =
    (level: string) =>
    (...args: [string] | [LogFields, string]): void => {
      const [fields, message] = args.length === 1 ? [{}, args[0]] : args;
      const { err, ...rest } = { ...more, ...fields };
      lines.push(`${level} ${message} ${JSON.stringify(rest)}${err instanceof Error ? ` ${err.message}` : ""}`);
    };
  // One function for both forms of a LogMethod, which the types tell apart and the code does not.
  return {
    lines,
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    child: (fields: LogFields) => memoryLog(lines, { ...more, ...fields }),
  } as unknown as MemoryLog;
}
