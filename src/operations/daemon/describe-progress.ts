import type { RunRow } from "../../control/run.ts";
import { showInterval } from "../interval.ts";

/** `newalpha: applying public.account, 1,200 of 5,000 rows, 600 rows/s, 6 s left` */
export function describeProgress(
  run: Pick<RunRow, "target" | "step" | "table" | "rowsDone" | "rowsExpected" | "started" | "updated">,
): string {
  const where = [run.step ?? "running", run.table].filter((part) => part !== null).join(" ");
  if (run.rowsExpected === null || run.rowsExpected === 0) return `${run.target}: ${where}`;
  // The rate is that of the last report: afterwards nothing is known to have moved.
  const seconds = Math.max(0.001, (run.updated.getTime() - run.started.getTime()) / 1000);
  const rate = run.rowsDone / seconds;
  const parts = [`${run.target}: ${where}`, `${grouped(run.rowsDone)} of ${grouped(run.rowsExpected)} rows`];
  if (rate > 0) {
    parts.push(`${grouped(Math.round(rate))} rows/s`);
    const left = (run.rowsExpected - run.rowsDone) / rate;
    if (left >= 1) parts.push(`${showInterval(Math.round(left))} left`);
  }
  return parts.join(", ");
}

function grouped(number: number): string {
  return number.toLocaleString("en-US");
}
