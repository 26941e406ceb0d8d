/**
 * All that is tried again by itself: how soon, how often, until when. Which errors of a run are, says their class in error-catalogue.ts. `docs/errors.md`
 * lists both. Pauses double from `base` to `cap`, and what is waited lies between half a pause and the whole (base/backoff.ts). Milliseconds.
 */
export const retries = {
  /** A voided run is repeated at once so often in a row; then it waits like any other failed one. */
  voidedRunsAtOnce: 5,
  /** However often somebody kicks a target that fails, attempts are at least so far apart. */
  kickGapMs: 1000,
  /** A cause that is not mended for long is looked at less often, down to every so many of `retry_stopped`. */
  longestLook: 10,
  /** The control database was lost. */
  lease: { base: 250, cap: 5000 },
  /** A source cannot be watched for changes, or looked after. */
  source: { base: 250, cap: 30_000 },
  /** A run of a move met a lost connection or a lock. */
  move: { base: 200, cap: 10_000 },
  /** Somebody holds a table on which triggers are to be put, or from which they are to be taken. */
  tableLock: { base: 200, cap: 3000 },
} as const;

export type RetryRule = { readonly what: string; readonly how: string; readonly until: string };

/** The same in words, for the docs. */
export const retryRules: readonly RetryRule[] = [
  {
    what: 'A run that failed for a reason that goes away ("tried again" below)',
    how: "after `retry_first`, doubled by each further failure up to `retry_longest`; a kick shortens the wait to a second",
    until: "for ever; its kicks wait, other targets and syncs go on",
  },
  {
    what: 'A void run ("repeated at once" below)',
    how: `at once, ${retries.voidedRunsAtOnce} times in a row; then as above`,
    until: "for ever",
  },
  {
    what: "A target stopped by a row, a table or a right that somebody must mend",
    how: `after \`retry_stopped\`, doubled up to ${retries.longestLook} times that; at once after a kick, \`validate\`, \`reload\` or a changed definition`,
    until: "for ever; other stopped targets wait for a person",
  },
  {
    what: "The control database",
    how: `from ${retries.lease.base} ms to ${retries.lease.cap / 1000} s; no run starts meanwhile, one that is going on ends`,
    until: "for ever, unless another daemon owns it; a daemon that is told to stop waits 5 s for it",
  },
  {
    what: "Watching a source for changes, its housekeeping",
    how: `from ${retries.source.base} ms to ${retries.source.cap / 1000} s; a delta table that is locked is left for the next round`,
    until: "for ever",
  },
  {
    what: "Locks on your tables while they are read, triggers are put on or taken off",
    how: `half a second a time while a run reads, \`lock_timeout\` a time when triggers are put on; between two attempts from ${retries.tableLock.base} ms to ${retries.tableLock.cap / 1000} s`,
    until: "a run as above; a command `lock_attempts` times, then it names who holds the table",
  },
  {
    what: "A server that does not answer",
    how: "10 s for a login, 15 s for the control database and for a look at a source, half a minute for the end of a COPY that failed; then the connection is cut. A run waits as long as the network keeps its connection (keepalive: one minute on the server's side)",
    until: "as for a run",
  },
  {
    what: "Runs of `bucardo migrate`",
    how: `void ones at once, ${retries.voidedRunsAtOnce} attempts; what goes away from ${retries.move.base} ms to ${retries.move.cap / 1000} s`,
    until: "for ever, or Ctrl-C; just before and in the window of a cutover only void ones are repeated, anything else undoes it",
  },
  {
    what: "Other commands",
    how: "nothing but the locks above",
    until: "`kick`, `start`, `stop` and `reload` wait as long as they are told to; what they asked for goes on",
  },
];
