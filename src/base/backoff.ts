export type BackoffOptions = {
  /** Delay after the first failure, in milliseconds. */
  readonly base?: number;
  /** Longest delay, in milliseconds. */
  readonly cap?: number;
  /** 0 <= random() < 1; what is waited lies between half of the delay and the whole. */
  readonly random?: () => number;
};

/** Milliseconds to wait after the `attempt`th failure in a row (1, 2, ...): doubling, capped, jittered. */
export function backoff(attempt: number, { base = 250, cap = 30_000, random = Math.random }: BackoffOptions = {}): number {
  const full = Math.min(cap, base * 2 ** Math.max(0, Math.min(attempt - 1, 50)));
  return Math.round(full / 2 + (full / 2) * random());
}
