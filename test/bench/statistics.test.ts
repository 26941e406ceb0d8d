import { expect, test } from "vitest";
import { median, quantile, ratios, spread, valuesOf } from "../../bench/statistics.ts";

test("the median of an odd and of an even number of values, whatever their order", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([100, 20, 3])).toBe(20);
  expect(median([])).toBeNaN();
});

test("a quantile is a value that was measured", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(quantile(hundred, 0.5)).toBe(50);
  expect(quantile(hundred, 0.99)).toBe(99);
  expect(quantile(hundred, 1)).toBe(100);
  expect(quantile([7], 0.5)).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
});

test("a spread names the ends", () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, count: 3 });
});

test("ratios are formed within a round, and rounds that lack one side are left out", () => {
  const sample = (round: number, contender: string, seconds: number) => ({ round, contender, values: { seconds } });
  const samples = [
    sample(1, "ours", 2),
    sample(1, "native", 4),
    sample(2, "native", 10),
    sample(2, "ours", 20),
    sample(3, "ours", 5),
    { round: 4, contender: "ours", values: { other: 1 } },
    sample(4, "native", 1),
  ];
  expect(ratios(samples, "ours", "native", "seconds")).toEqual([0.5, 2]);
  expect(valuesOf(samples, "ours", "seconds")).toEqual([2, 20, 5]);
  expect(ratios(samples, "nobody", "native", "seconds")).toEqual([]);
});
