import type { Point } from "../../src/base/point.ts";

let hook: ((point: Point) => Promise<void>) | null = null;

/** Stands in for src/base/point.ts: a test decides in its own process what happens at a point. Use: `vi.mock("../../src/base/point.ts", ...)`. */
export async function reach(point: Point): Promise<void> {
  await hook?.(point);
}

/** One at a time; null: nothing happens any more. */
export function atPoint(next: ((point: Point) => Promise<void>) | null): void {
  hook = next;
}
