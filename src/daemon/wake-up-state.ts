/**
 * When the watcher of a source looks, and whether writers have to notify it. Pure; wake-up.ts does the work.
 *
 *            nothing waits                   flag raised
 *   awake ─────────────────────────> dozing ────────────> asleep
 *     ^ the runs look                  │ polls, tries         │ waits for NOTIFY, with a slow safety poll
 *     └────────── change seen ─────────┴──────────────────────┘
 *
 * It sleeps as soon as nothing waits, so that the next change is heard at once. A busy source has always something waiting when a run ends, and is never
 * asked to notify; the few transactions that have to between two runs of one that is less busy do not hold each other up.
 *
 * The flag "the daemon sleeps" is advisory lock (0x6275, 2) of the source, held exclusive by the watcher. A writer's trigger
 * tries it shared until the end of its transaction: got = nobody sleeps here, no NOTIFY (which would halve a busy source);
 * not got = notify. So the flag cannot be raised while a transaction runs that decided not to notify: one look after raising
 * it sees all of those, and every later writer notifies. Nothing is lost in between (H18), nothing ever waits for the lock
 * (H17), and without a daemon nobody notifies.
 */
export type Phase = "awake" | "dozing" | "asleep";

export type Seen = {
  readonly now: number;
  readonly phase: Phase;
  /** Something waits for a target that could run, or a run is going on. */
  readonly busy: boolean;
  readonly lastBusy: number;
  /** False: writers of this source do not notify (prepared transactions are enabled), or another installation holds the flag. */
  readonly flagUsable: boolean;
  /** The setting poll_interval. */
  readonly fastMs: number;
};

export type Step = {
  readonly phase: Phase;
  /** Before the next wait: raise (try), lower, or leave the flag. */
  readonly flag: "raise" | "lower" | "leave";
  readonly waitMs: number;
};

/** Where writers cannot notify. */
export const PLAIN_POLL_MS = 250;
/** While asleep, for the hint that got lost. */
export const SAFETY_POLL_MS = 5000;
/** So long after work a source that cannot notify is polled fast. */
export const QUIET_MS = 1000;
/** The first of the polls of one that cannot sleep yet because a writer is at work; each is twice as long after work as the one before. */
export const DOZE_MS = 2;

export function step(of: Seen): Step {
  if (of.busy) return { phase: "awake", flag: of.phase === "asleep" ? "lower" : "leave", waitMs: of.fastMs };
  if (of.phase === "asleep") return { phase: "asleep", flag: "leave", waitMs: SAFETY_POLL_MS };
  if (of.flagUsable) return { phase: "dozing", flag: "raise", waitMs: Math.min(of.fastMs, Math.max(DOZE_MS, of.now - of.lastBusy)) };
  const quiet = of.now - of.lastBusy >= QUIET_MS;
  return { phase: "awake", flag: "leave", waitMs: quiet ? Math.max(of.fastMs, PLAIN_POLL_MS) : of.fastMs };
}
