/** What round means: decimal numbers, bytes, or seconds. */
export type Unit = "count" | "bytes" | "seconds";

const SECONDS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/** Round marks from 0 to at least `top`: about `most` of them. Pure. */
export function niceMarks(top: number, most = 4, unit: Unit = "count"): number[] {
  if (!(top > 0)) return [0, 1];
  const step = niceStep(top / most, unit);
  return Array.from({ length: Math.ceil(top / step - 1e-9) + 1 }, (_one, index) => Number((index * step).toPrecision(12)));
}

function niceStep(rough: number, unit: Unit): number {
  if (unit === "seconds" && rough > 30) return SECONDS.find((one) => one >= rough) ?? Math.ceil(rough / 604_800) * 604_800;
  // Powers of two: sizes are shown in units of 1024.
  if (unit === "bytes") return 2 ** Math.ceil(Math.log2(rough) - 1e-9);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999) ?? 10 * power;
}

const STEPS = [10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600];

/** Moments of the local clock between two times (seconds since 1970), about `most` of them, where people expect them. */
export function timeMarks(from: number, to: number, most: number, offsetSeconds: number): number[] {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? 2_592_000;
  const marks: number[] = [];
  for (let at = Math.ceil((from + offsetSeconds) / step) * step - offsetSeconds; at <= to; at += step) marks.push(at);
  return marks;
}

export type Point = readonly [at: number, value: number | null];

/** Runs of points that belong together: a gap in time, or a value nobody knows, ends one. */
export function stretches(points: readonly Point[], gapSeconds: number): (readonly (readonly [number, number])[])[] {
  const all: (readonly [number, number])[][] = [];
  let last: number | null = null;
  for (const [at, value] of points) {
    if (value === null) last = null;
    else {
      if (last === null || at - last > gapSeconds) all.push([]);
      all.at(-1)?.push([at, value]);
      last = at;
    }
  }
  return all;
}

/** The point next to a moment; null: there is none. */
export function nearest(points: readonly Point[], at: number): Point | null {
  let best: Point | null = null;
  for (const point of points) if (best === null || Math.abs(point[0] - at) < Math.abs(best[0] - at)) best = point;
  return best;
}
