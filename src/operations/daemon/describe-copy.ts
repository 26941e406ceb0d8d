import type { CopyState } from "../../model/run.ts";
import { showInterval } from "../interval.ts";

/** `copying public.big: 1 of 2 tables, 45 % of 1.2 GB, 31.0 MB/s, 20 s left`. Pure. */
export function describeCopy(copy: CopyState): string {
  const { tables, tablesDone, diskBytes, diskBytesDone, bytesPerSecond, secondsLeft, paused, active } = copy;
  const parts = [
    `${paused ? "copy paused" : "copying"}${active.length === 0 ? "" : ` ${active.join(", ")}`}: ${tablesDone} of ${tables} tables`,
    `${diskBytes === 0 ? 100 : Math.min(100, Math.floor((100 * diskBytesDone) / diskBytes))} % of ${showBytes(diskBytes)}`,
    ...(bytesPerSecond > 0 ? [`${showBytes(bytesPerSecond)}/s`] : []),
    ...(secondsLeft === null || paused ? [] : [`${showInterval(secondsLeft)} left`]),
  ];
  return parts.join(", ");
}

function showBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}
