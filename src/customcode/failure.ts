import { BucardoError } from "../model/error.ts";
import type { CodeFailure } from "./message.ts";

type DriverError = {
  readonly message?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly constraint?: string;
  readonly column?: string;
  readonly table?: string;
};

/** What custom code may know of an error: all that the server said, as it is the administrator's own. None of it reaches a log. */
export function failureFor(error: unknown): CodeFailure {
  const { message, code, detail, constraint, column, table } = rootOf(error) as DriverError;
  return {
    message: message ?? String(error),
    ...(typeof code === "string" && { code }),
    ...(detail !== undefined && { detail }),
    ...(constraint !== undefined && { constraint }),
    ...(column !== undefined && { column }),
    ...(table !== undefined && { table }),
  };
}

/** The error of the driver, which still has what ours leaves out. */
export function rootOf(error: unknown): unknown {
  return error instanceof BucardoError && error.details.cause !== undefined ? rootOf(error.details.cause) : error;
}
