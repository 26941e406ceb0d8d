import { points, type Point } from "../../src/base/point.ts";

/** Who passes a point: a run, the housekeeping of a source, or a command. A point of a room that is not listed here belongs to a command. */
export function passedBy(point: Point): "run" | "housekeeping" | "command" {
  if (/^(replicate|daemon)\./.test(point)) return "run";
  return point === "capture.rotated" || point === "capture.purged" ? "housekeeping" : "command";
}

/** Taken from the list itself: a new point is covered without a word here, and a run that does not pass it is noticed. */
export const pointsOfRun: readonly Point[] = points.filter((point) => passedBy(point) === "run");
