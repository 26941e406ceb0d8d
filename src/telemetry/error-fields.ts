import { BucardoError } from "../model/error.ts";

export type ErrorFields = {
  readonly message: string;
  readonly code?: string;
  readonly sqlstate?: string;
  readonly advice?: string;
  readonly problems?: readonly string[];
  readonly stack?: string;
};

/**
 * What of an error goes into the log. Of ours: message, code, SQLSTATE, advice; never `details.key`, nor the cause, whose DETAIL holds
 * values of rows. Of others: the stack, since they are mistakes of ours.
 */
export function errorFields(error: unknown): ErrorFields {
  if (error instanceof BucardoError) {
    const { sqlstate, problems } = error.details;
    return {
      message: error.message,
      code: error.code,
      ...(sqlstate !== undefined && { sqlstate }),
      advice: error.advice,
      ...(problems !== undefined && { problems: problems.map(({ what }) => what) }),
      ...(error.code === "internal" && error.stack !== undefined && { stack: error.stack }),
    };
  }
  if (!(error instanceof Error)) return { message: typeof error === "string" ? error : "something was thrown that is not an error" };
  return { message: error.message, ...(error.stack !== undefined && { stack: error.stack }) };
}
