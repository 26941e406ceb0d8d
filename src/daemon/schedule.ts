import { backoff } from "../base/backoff.ts";
import type { ErrorCode } from "../model/error-catalogue.ts";
import { retries } from "../model/retry.ts";
import type { RunReason } from "../model/run.ts";

/**
 * When a target runs next, and why: a pure decision, so that every rule of it can be shown by a test.
 *
 *   Idle ──kick, change, checktime, start──> Running ──good──> Idle
 *                                              │ retry "now", "backoff"      │ retry "never"
 *                                              └──> Waiting ──time, kick──> Running     Stopped ──kick, again──> Running
 *
 * All times are milliseconds of one monotonic clock.
 */
export type Failure = {
  readonly retry: "now" | "backoff" | "never";
  /** Failed runs in a row, this one included. */
  readonly attempts: number;
  readonly at: number;
  /** When `retry` says backoff (or too many "now" in a row): how long to wait, drawn once when the run failed. */
  readonly waitMs: number;
  /** When `retry` says never: after so long it is looked whether somebody has mended the cause. Absent: somebody must say so. */
  readonly lookAgainMs?: number;
};

export type Situation = {
  readonly now: number;
  /** False while the control database is lost: nothing can be recorded, so nothing starts. */
  readonly controlHeld: boolean;
  readonly paused: boolean;
  /** The next run would copy whole tables, and the source has no disk left for the deltas of such a time. */
  readonly copyHeld: boolean;
  /** True until the first run of this daemon towards this target has begun. */
  readonly first: boolean;
  /** Kicks that wait and were not there when the last run began. */
  readonly newKicks: boolean;
  /** Kicks that wait at all. */
  readonly kicks: boolean;
  readonly changeSeen: boolean;
  /** Between the end of a run and the next one that a change asks for. */
  readonly changeGapMs: number;
  /** Seconds; null: no schedule. */
  readonly checktime: number | null;
  readonly lastBegan: number | null;
  readonly lastEnded: number | null;
  readonly failure: Failure | null;
  /** Somebody asked to try again: a validate, a changed definition, reload. */
  readonly again: boolean;
};

export type Next =
  | { readonly do: "run"; readonly reason: RunReason }
  /** `at` null: only an event ends the wait. */
  | { readonly do: "wait"; readonly at: number | null; readonly state: "Idle" | "Waiting" | "Stopped" | "Paused" };

/** How often a held copy looks whether it may begin. */
export const COPY_LOOK_MS = 2000;

/** Stopped by what somebody mends on one of the databases, where nobody tells us of it. */
const MENDED_ELSEWHERE: ReadonlySet<ErrorCode> = new Set([
  "data-rejected",
  "encoding",
  "set-aside-full",
  "schema-mismatch",
  "permission-denied",
  "customcode-failed",
  "customcode-killed",
]);

/** For how long a target stays stopped by this fault, at first for `base` milliseconds; undefined: until somebody says so. */
export function lookAgainMs(code: ErrorCode, attempts: number, base: number, random: () => number): number | undefined {
  return MENDED_ELSEWHERE.has(code) ? backoff(attempts, { base, cap: retries.longestLook * base, random }) : undefined;
}

export function schedule(of: Situation): Next {
  if (!of.controlHeld) return { do: "wait", at: null, state: "Waiting" };
  if (of.paused) return { do: "wait", at: null, state: "Paused" };
  if (of.copyHeld) return { do: "wait", at: of.now + COPY_LOOK_MS, state: "Waiting" };
  if (of.failure !== null) return afterFailure(of, of.failure);
  if (of.first) return { do: "run", reason: "start" };
  if (of.kicks) return { do: "run", reason: "kick" };
  if (of.again) return { do: "run", reason: "retry" };
  return whenQuiet(of);
}

function afterFailure(of: Situation, failure: Failure): Next {
  const asked = of.newKicks || of.again;
  const reason = of.newKicks ? "kick" : "retry";
  if (failure.retry === "never") {
    if (!asked && failure.lookAgainMs === undefined) return { do: "wait", at: null, state: "Stopped" };
    if (!asked) return notBefore(of, failure.at + (failure.lookAgainMs ?? 0), "retry", "Stopped");
    return notBefore(of, failure.at + retries.kickGapMs, reason, "Stopped");
  }
  const due = retriesAtOnce(failure) ? failure.at : failure.at + failure.waitMs;
  return notBefore(of, asked ? Math.min(due, failure.at + retries.kickGapMs) : due, reason, "Waiting");
}

function retriesAtOnce(failure: Failure): boolean {
  return failure.retry === "now" && failure.attempts <= retries.voidedRunsAtOnce;
}

function whenQuiet(of: Situation): Next {
  const due = of.checktime === null || of.lastBegan === null ? null : of.lastBegan + of.checktime * 1000;
  if (of.changeSeen) {
    const soon = (of.lastEnded ?? -Infinity) + of.changeGapMs;
    if (due === null || soon <= due) return notBefore(of, soon, "change", "Idle");
  }
  return due === null ? { do: "wait", at: null, state: "Idle" } : notBefore(of, due, "checktime", "Idle");
}

function notBefore(of: Situation, at: number, reason: RunReason, state: "Idle" | "Waiting" | "Stopped"): Next {
  return of.now >= at ? { do: "run", reason } : { do: "wait", at, state };
}
