import { z } from "zod";
import { parseDuration } from "../config/value-types.ts";

/** `90`, `2 minutes`, `1 hour 30 minutes`, `00:05:00` as seconds; null when it is none of these. */
export function parseInterval(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  const clock = /^(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?$/.exec(trimmed);
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0);
  const ms = parseDuration(trimmed);
  return ms === null ? null : ms / 1000;
}

/** A period, given as text of that kind or as seconds; seconds. `0` and `none` mean null. */
export const interval = z.union([z.number(), z.string()]).transform((value, context): number | null => {
  if (typeof value === "string" && /^(none|null|off|)$/i.test(value.trim())) return null;
  const seconds = typeof value === "number" ? value : parseInterval(value);
  if (seconds !== null && seconds >= 0 && Number.isFinite(seconds)) return seconds === 0 ? null : seconds;
  context.addIssue({ code: "custom", message: `must be a period such as "90", "2 minutes" or "00:05:00", not "${value}"` });
  return z.NEVER;
});

/** 0.042 -> `42 ms`, 5 -> `5 s`, 90 -> `1 min 30 s`, 7200 -> `2 h` */
export function showInterval(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ] as const;
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}
