import { BucardoError } from "../model/error.ts";
import { SYNC_NAME } from "./move.ts";

/** What runs say to do is about syncs; a move has commands of its own. */
export function adviseMove<Of>(error: Of): Of | BucardoError {
  if (!(error instanceof BucardoError) || error.details.sync !== SYNC_NAME) return error;
  const advice = advices[error.code];
  return advice === undefined ? error : new BucardoError(error.code, error.message, { ...error.details, advice, cause: error });
}

const advices: Partial<Record<BucardoError["code"], string>> = {
  "checkpoint-missing":
    "A table was dropped, renamed or made anew: `bucardo migrate start` takes it up, and everything else stays as it is.",
  "schema-mismatch":
    "Make the same change on the new side, then repeat the command; a table with another key is taken up by `bucardo migrate start`.",
};
