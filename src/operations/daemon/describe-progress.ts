import type { RunRow } from "../../control/run.ts";
import { showInterval } from "../interval.ts";

type Running = Pick<RunRow, "target" | "step" | "table" | "rowsDone" | "rowsExpected" | "rate">;

const STEPS: Readonly<Record<string, string>> = { taking: "looking for changes" };

/**
 * `newalpha: fetching public.account, 1,200 of 5,000 rows, 600 rows/s, 6 s left`. Where `width` has no room for it, what matters less is left out:
 * never a part of a number.
 */
export function describeProgress(run: Running, width = Number.POSITIVE_INFINITY): string {
  const step = run.step ?? "running";
  const doing = STEPS[step] ?? step;
  const where = run.table === null ? doing : `${doing} ${run.table}`;
  const { rows, rate, left } = numbersOf(run);
  const variants = [
    [`${run.target}: ${where}`, rows, rate, left],
    [`${run.target}: ${where}`, rows, left],
    [`${run.target}: ${doing}`, rows, rate, left],
    [`${run.target}: ${doing}`, rows, left],
    [run.target, left ?? rows],
  ].map((parts) => parts.filter((part) => part !== null).join(", "));
  return variants.find((text) => text.length <= width) ?? (variants.at(-1) ?? "").slice(0, width);
}

function numbersOf({ step, rowsDone, rowsExpected, rate }: Running): Record<"rows" | "rate" | "left", string | null> {
  const all = rowsExpected === null || rowsExpected === 0 ? null : grouped(rowsExpected);
  if (rowsDone === 0) {
    // The source sorts the keys before it sends the first row, which may be most of the time.
    return { rows: all === null || step === "taking" ? null : `${all} rows to come`, rate: null, left: null };
  }
  // Estimates may be too low, and what has been fetched is all there is when it is applied.
  const done = all === null || step !== "fetching" || rowsDone > (rowsExpected ?? 0);
  const seconds = done || rate === null ? 0 : ((rowsExpected ?? 0) - rowsDone) / rate;
  return {
    rows: done ? `${grouped(rowsDone)} rows` : `${grouped(rowsDone)} of ${all} rows`,
    rate: rate === null ? null : `${grouped(Math.round(rate))} rows/s`,
    left: seconds < 1 ? null : `${showInterval(Math.round(seconds))} left`,
  };
}

function grouped(number: number): string {
  return number.toLocaleString("en-US");
}
