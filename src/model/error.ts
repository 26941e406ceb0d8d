import { catalogue, type ErrorCode } from "./error-catalogue.ts";

/** Where and with what an error happened. Values of users' rows never belong here; a key's value only in `key`. */
export type ErrorDetails = {
  readonly db?: string;
  readonly sync?: string;
  /** schema.name */
  readonly table?: string;
  /** The key's value, for the command line and a run's history; never logged. */
  readonly key?: string;
  readonly sqlstate?: string;
  /** What to do next, when it is more exact than the catalogue's advice. */
  readonly advice?: string;
  readonly problems?: readonly Problem[];
  /** Exit code of the command line where a command promises another than the catalogue's. */
  readonly exit?: number;
  readonly cause?: unknown;
};

/** One finding of a check. `error` stops, `warning` does not. */
export type Problem = {
  readonly grade: "error" | "warning";
  readonly db?: string;
  readonly table?: string;
  readonly what: string;
  readonly remedy: string;
};

/** Every error that a user may meet: an entry of the catalogue, with its place and what to do next. */
export class BucardoError extends Error {
  override readonly name = "BucardoError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.details = details;
  }

  get advice(): string {
    const { advice, sync } = this.details;
    return advice ?? (sync === undefined ? catalogue[this.code].advice : catalogue[this.code].advice.replaceAll("SYNC", sync));
  }

  get retry(): "never" | "backoff" | "now" {
    return catalogue[this.code].retry;
  }

  /** Exit code of the command line. */
  get exit(): number {
    return this.details.exit ?? catalogue[this.code].exit;
  }
}

/** One line for a terminal: message, table and SQLSTATE where known, then what to do. */
export function describeError(error: unknown): { message: string; advice: string | null } {
  if (!(error instanceof BucardoError)) return { message: error instanceof Error ? error.message : String(error), advice: null };
  const { table, key } = error.details;
  const place = [table && `table ${table}`, key && `key ${key}`, error.details.sqlstate && `SQLSTATE ${error.details.sqlstate}`];
  const where = place.filter((part) => part && !error.message.includes(part)).join(", ");
  return { message: where === "" ? error.message : `${error.message} (${where})`, advice: error.advice };
}
