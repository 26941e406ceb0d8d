import { expect, test } from "vitest";
import { choice, duration, parseDuration, parseSize, parseSwitch, sizeOrNone, whole } from "./value-types.ts";

test("times: seconds unless a unit says otherwise", () => {
  const texts = ["90", "0.5", "250 ms", "2 minutes", "1 hour 30 min", "1d", "2 weeks", "0", " 5 S "];
  expect(texts.map(parseDuration)).toEqual([90_000, 500, 250, 120_000, 5_400_000, 86_400_000, 1_209_600_000, 0, 5000]);
  expect(["", "soon", "5 parsecs", "-1", "5 min and"].map(parseDuration)).toEqual([null, null, null, null, null]);
});

test("sizes: powers of 1024", () => {
  expect(["0", "1024", "64 kB", "1.5GB", "2TiB", "10 bytes", "3m"].map(parseSize)).toEqual([
    0, 1024, 65_536, 1_610_612_736, 2_199_023_255_552, 10, 3_145_728,
  ]);
  expect(["", "big", "-1", "1 XB"].map(parseSize)).toEqual([null, null, null, null]);
  expect(sizeOrNone.parse("none")).toBe(null);
  expect(sizeOrNone.parse("1 kB")).toBe(1024);
});

test("yes and no in the words of both versions", () => {
  expect(["1", "t", "TRUE", "on", "yes"].map(parseSwitch)).toEqual([true, true, true, true, true]);
  expect(["0", "f", "False", "OFF", "no"].map(parseSwitch)).toEqual([false, false, false, false, false]);
  expect(["", "2", "maybe"].map(parseSwitch)).toEqual([null, null, null]);
});

test("what is no good is told with what is wanted", () => {
  const says = (result: { error?: { issues: { message: string }[] } }) => result.error?.issues[0]?.message;
  expect(says(duration.safeParse("soon"))).toBe('must be a time such as "90" (seconds), "250 ms" or "2 minutes", not "soon"');
  expect(says(whole(1, 9).safeParse("10"))).toBe('must be a whole number from 1 to 9, not "10"');
  expect(says(whole(1, 9).safeParse("1.5"))).toContain('not "1.5"');
  expect(says(choice("warn", "pause").safeParse("stop"))).toBe('must be one of warn, pause, not "stop"');
  expect(choice("warn", "pause").parse(" Warn ")).toBe("warn");
});
