import { expect, test } from "vitest";
import { describeForecast } from "./describe-forecast.ts";
import { addSample, forecast, SAMPLES, worstHolder } from "./quota.ts";

const MB = 1024 * 1024;

test("says when the quota will be reached at the present growth", () => {
  const samples = [
    { at: 0, bytes: 10 * MB },
    { at: 60_000, bytes: 70 * MB },
  ];
  expect(forecast(samples, 130 * MB)).toEqual({ bytes: 70 * MB, growth: MB, secondsLeft: 60, reached: false });
  expect(describeForecast(forecast(samples, 130 * MB), 130 * MB)).toEqual([
    "The deltas take 70 MB of the quota of 130 MB, which they reach in about 1 minutes.",
  ]);
});

test("a shrinking or steady size never reaches it", () => {
  const samples = [
    { at: 0, bytes: 20 * MB },
    { at: 1000, bytes: 10 * MB },
  ];
  expect(forecast(samples, 30 * MB)).toMatchObject({ secondsLeft: null, reached: false });
  expect(describeForecast(forecast(samples, 30 * MB), 30 * MB)).toEqual([]);
});

test("reached is reached, and without a quota nothing is", () => {
  const samples = [{ at: 0, bytes: 30 * MB }];
  expect(forecast(samples, 30 * MB)).toMatchObject({ secondsLeft: 0, reached: true });
  expect(forecast(samples, null)).toMatchObject({ secondsLeft: null, reached: false });
  expect(forecast([], 1)).toMatchObject({ bytes: 0, reached: false });
});

test("the trend follows the latest samples", () => {
  let samples = addSample([], { at: 0, bytes: 0 });
  for (let at = 1; at <= SAMPLES; at++) samples = addSample(samples, { at: at * 1000, bytes: 5 });
  expect(samples).toHaveLength(SAMPLES);
  expect(forecast(samples, 10)).toMatchObject({ growth: 0, secondsLeft: null });
});

test("the worst holder is the one with most deltas", () => {
  expect(worstHolder([])).toBeNull();
  expect(worstHolder([{ deltas: 1 }, { deltas: 3 }, { deltas: 2 }])).toEqual({ deltas: 3 });
});
