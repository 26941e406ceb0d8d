import { expect, test } from "vitest";
import { advance } from "./last-sequences.ts";

const up = { increment: "1", min: "1", max: "1000", cycle: false };
const down = { increment: "-5", min: "-100", max: "-1", cycle: false };

test("a sequence goes on a gap beyond the old side's last value, in its direction", () => {
  expect(advance("7", "7", 100, up)).toEqual("107");
  expect(advance("-6", "-6", 10, down)).toEqual("-56");
  expect(advance("9223372036854775000", "1", 100, { ...up, max: "9223372036854775807" })).toEqual("9223372036854775100");
});

test("one that was never used begins at its beginning", () => {
  expect(advance(null, null, 100, up)).toEqual(null);
});

test("what was drawn on the new side already is not given out again", () => {
  expect(advance("7", "150", 100, up)).toEqual("150");
  expect(advance(null, "150", 100, up)).toEqual("150");
  expect(advance("-6", "-91", 10, down)).toEqual("-91");
});

test("near its end there is no gap, and a cycling one follows the old side", () => {
  expect(advance("950", "950", 100, up)).toEqual("950");
  expect(advance("3", "990", 10, { ...up, cycle: true })).toEqual("13");
});
