import { BucardoError } from "../model/error.ts";

/** A table, or a piece of one, that differs in more keys than this is not on its way, but different. */
export const FOLLOWED_KEYS = 10_000;

/** `how`: "in 3 keys". */
export function differs(table: string, how: string): BucardoError {
  return new BucardoError("not-equal", `${table} differs between the two sides ${how}`, { table });
}
