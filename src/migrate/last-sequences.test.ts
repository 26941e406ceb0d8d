import { expect, test } from "vitest";
import { advance } from "./last-sequences.ts";

const up = { increment: "1", min: "1", max: "1000", cycle: false };
const down = { increment: "-5", min: "-100", max: "-1", cycle: false };
const at = (value: string, called = true) => ({ value, called });

test("a sequence goes on a gap beyond the old side's last value, in its direction", () => {
  expect(advance(at("7"), at("7"), 100, up)).toEqual(at("107"));
  expect(advance(at("-6"), at("-6"), 10, down)).toEqual(at("-56"));
  expect(advance(at("9223372036854775000"), at("1"), 100, { ...up, max: "9223372036854775807" })).toEqual(at("9223372036854775100"));
});

test("one that was never used begins at its beginning", () => {
  expect(advance(at("1", false), at("1", false), 100, up)).toEqual(at("1", false));
});

test("what was drawn on the new side already is not given out again", () => {
  expect(advance(at("7"), at("150"), 100, up)).toEqual(at("150"));
  expect(advance(at("1", false), at("150"), 100, up)).toEqual(at("150"));
  expect(advance(at("-6"), at("-91"), 10, down)).toEqual(at("-91"));
});

test("near its end there is no gap, and a cycling one follows the old side", () => {
  expect(advance(at("950"), at("950"), 100, up)).toEqual(at("950"));
  expect(advance(at("3"), at("990"), 10, { ...up, cycle: true })).toEqual(at("13"));
});
