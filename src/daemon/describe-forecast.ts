import type { Forecast } from "./quota.ts";

/** Warned about when the quota is nearer than this, in seconds. */
const NEAR = 24 * 3600;

/** Sentences about the disk that deltas take; none when there is nothing to fear. */
export function describeForecast(of: Forecast, quota: number | null): string[] {
  if (quota === null) return [];
  if (of.reached) return [`The deltas take ${megabytes(of.bytes)}; the quota is ${megabytes(quota)}.`];
  if (of.secondsLeft === null || of.secondsLeft > NEAR) return [];
  return [
    `The deltas take ${megabytes(of.bytes)} of the quota of ${megabytes(quota)}, which they reach in about ${duration(of.secondsLeft)}.`,
  ];
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}

/** Coarse on purpose: the same sentence is not repeated in the log as long as nothing changes much. */
function duration(seconds: number): string {
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} minutes`;
  return `${Math.round(seconds / 3600)} hours`;
}
