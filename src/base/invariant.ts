/** Stops on a broken assumption of ours. Never for input of users: that gets an entry of the error catalogue. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}

/** The compiler proves that every case is handled; at run time it names the one that was not. */
export function unreachable(value: never): never {
  throw new Error(`broken invariant: unexpected ${JSON.stringify(value)}`);
}
