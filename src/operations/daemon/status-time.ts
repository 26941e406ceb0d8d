import type { RunRow } from "../../control/run.ts";

/** `17:05:11.123` today, `2026-11-21 17:05` on another day; local time. */
export function showTime(at: Date, now: Date): string {
  const two = (value: number, width = 2): string => String(value).padStart(width, "0");
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === now.toDateString()) return `${clock}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`;
}

/** Seconds that a run took, with milliseconds; empty when it has not ended. */
export function showDuration(run: Pick<RunRow, "started" | "ended">): string {
  return run.ended === null ? "" : seconds(run.ended.getTime() - run.started.getTime());
}

/** `0.042 s`, `75.100 s`, `1 h 2 min` */
export function seconds(ms: number): string {
  if (ms < 600_000) return `${(ms / 1000).toFixed(3)} s`;
  const minutes = Math.round(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
