import { expect, test } from "vitest";
import { readOutcome } from "./outcome.ts";

test("nothing, false, 0 and the empty text ask for nothing", () => {
  const nothing = { message: "", warning: null, error: false, skip: 0, lastcode: "0", endsync: undefined, redo: "", retry: 0 };
  expect(readOutcome(nothing)).toEqual(readOutcome({}));
  expect(readOutcome({})).toMatchObject({ message: null, error: null, skip: false, retry: false, winner: null });
});

test("anything else does", () => {
  const all = { message: "m", warning: 7, error: new Error("e"), skip: 1, lastcode: "yes", endsync: true, redo: {}, retry: 1 };
  expect(readOutcome(all)).toEqual({
    message: "m",
    warning: "7",
    error: "e",
    skip: true,
    lastcode: true,
    endsync: true,
    redo: true,
    retry: true,
    winner: null,
  });
  expect(readOutcome({ nextcode: 1 }).skip).toBe(true);
});
