import { expect, test } from "vitest";
import { toChar } from "./date-format.ts";

const at = new Date(2026, 10, 5, 21, 7, 3, 42);

test("the patterns of to_char", () => {
  expect(toChar("Mon DD, YYYY HH24:MI:SS", at)).toBe("Nov 05, 2026 21:07:03");
  expect(toChar('YYYY-MM-DD"T"HH24:MI:SS.MS', at)).toBe("2026-11-05T21:07:03.042");
  expect(toChar("FMDD.FMMM.YY HH12:MI pm Dy", at)).toBe("5.11.26 09:07 pm Thu");
});
