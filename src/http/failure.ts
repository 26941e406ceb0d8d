import type { ErrorCode } from "../model/error-catalogue.ts";
import { BucardoError, describeError } from "../model/error.ts";
import type { ErrorView } from "./page-types.ts";

/** An error that has a status of its own, and headers. */
export class HttpFailure extends BucardoError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    more: { advice?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code, message, more.advice === undefined ? {} : { advice: more.advice });
    this.status = status;
    this.headers = more.headers ?? {};
  }
}

/** Without key, detail or cause: no value of a row, no secret. */
export function errorView(error: unknown): ErrorView {
  if (!(error instanceof BucardoError)) return { code: "internal", message: "A mistake in Bucardo.", advice: "The log has more." };
  const { message } = describeError(error.details.key === undefined ? error : withoutKey(error));
  const { db, sync, table, sqlstate, problems } = error.details;
  return {
    code: error.code,
    message,
    advice: error.advice,
    ...(db !== undefined && { db }),
    ...(sync !== undefined && { sync }),
    ...(table !== undefined && { table }),
    ...(sqlstate !== undefined && { sqlstate }),
    ...(problems !== undefined && { problems: problems.map(({ grade, what, remedy }) => ({ grade, what, remedy })) }),
  };
}

function withoutKey(error: BucardoError): BucardoError {
  const { key: _, ...details } = error.details;
  return new BucardoError(error.code, error.message, details);
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  "bad-value": 400,
  "unknown-object": 404,
  "migration-missing": 404,
  "already-exists": 409,
  "in-use": 409,
  declined: 409,
  "daemon-running": 409,
  "gate-closed": 409,
  "not-supported": 501,
  "daemon-not-running": 503,
  "connection-failed": 503,
  "connection-lost": 503,
  "server-not-ready": 503,
  "too-many-connections": 503,
  interrupted: 503,
  timeout: 504,
  internal: 500,
};

/** 422 for what an operation refuses for reasons of its own. */
export function statusOf(error: unknown): number {
  if (error instanceof HttpFailure) return error.status;
  return error instanceof BucardoError ? (STATUS[error.code] ?? 422) : 500;
}
