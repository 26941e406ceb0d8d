/** Seconds since 1970, deltas, age, rows, bytes, runs, failed runs. */
export type Point = [number, number | null, number | null, number, number, number, number];

/**
 * A target at rest is noted now and then only; whoever joins the points by lines would see it rise from the last note on. So a point of rest is added just
 * before work begins again. Pure.
 */
export function fillRest(points: readonly Point[], step: number, gapSeconds: number): Point[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    if (before === undefined || !rests(before) || rests(point)) return [point];
    const apart = point[0] - before[0];
    if (apart <= 1.5 * step || apart > gapSeconds) return [point];
    return [[point[0] - step, 0, 0, 0, 0, 0, 0] satisfies Point, point];
  });
}

function rests([, deltas, , rows, , , failed]: Point): boolean {
  return (deltas ?? 0) === 0 && rows === 0 && failed === 0;
}
