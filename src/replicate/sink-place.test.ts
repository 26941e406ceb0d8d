import { expect, test } from "vitest";
import { identityOf, placeProblem } from "./sink-place.ts";

const place = { id: "here", number: 7, positions: {} };

test.each([
  ["nothing was written yet", null, null, null],
  ["another one has written there before", null, place, null],
  ["the same place", identityOf(place), place, null],
  ["further, as after a crash before settling", identityOf(place), { ...place, number: 8 }, null],
  ["nothing there any more", identityOf(place), null, "no record"],
  ["another place", identityOf(place), { ...place, id: "there" }, "other runs"],
  ["a backup", identityOf(place), { ...place, number: 6 }, "went back in time"],
])("%s", (_what, before, now, problem) => {
  const found = placeProblem(before, now);
  expect(found === null).toBe(problem === null);
  expect(found ?? "").toContain(problem ?? "");
});
