import { toChar } from "./date-format.ts";
import type { RunRow } from "../../control/run.ts";

/** How people want to see times and numbers. */
export type Form = {
  /** Patterns of to_char for times of today and of other days; null: the usual form. */
  readonly today: string | null;
  readonly otherDay: string | null;
  /** Long durations with days instead of hours. */
  readonly days: boolean;
  /** No blanks in times. */
  readonly compress: boolean;
  /** Between thousands. */
  readonly thousands: string;
};

export const PLAIN: Form = { today: null, otherDay: null, days: false, compress: false, thousands: "" };

/** `17:05:11.123` today, `2026-11-21 17:05` on another day; local time. */
export function showTime(at: Date, now: Date, form: Form = PLAIN): string {
  const own = at.toDateString() === now.toDateString() ? form.today : form.otherDay;
  return squeezed(own === null ? usualTime(at, now) : toChar(own, at), form);
}

function usualTime(at: Date, now: Date): string {
  const two = (value: number, width = 2): string => String(value).padStart(width, "0");
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === now.toDateString()) return `${clock}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`;
}

/** Seconds that a run took, with milliseconds; empty when it has not ended. */
export function showDuration(run: Pick<RunRow, "started" | "ended">, form: Form = PLAIN): string {
  return run.ended === null ? "" : squeezed(seconds(run.ended.getTime() - run.started.getTime(), form.days), form);
}

export function showNumber(value: number, { thousands }: Form): string {
  return thousands === "" ? String(value) : String(value).replaceAll(/\B(?=(\d{3})+$)/g, thousands);
}

function squeezed(text: string, { compress }: Form): string {
  return compress ? text.replaceAll(" ", "") : text;
}

/** `0.042 s`, `75.100 s`, `1 h 2 min`; with `days` `1 d 2 h 3 min` */
export function seconds(ms: number, days = false): string {
  if (ms < 600_000) return `${(ms / 1000).toFixed(3)} s`;
  const minutes = Math.round(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  if (days && hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h ${minutes % 60} min`;
  return minutes < 60 ? `${minutes} min` : `${hours} h ${minutes % 60} min`;
}
