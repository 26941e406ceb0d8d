import { expect, test } from "vitest";
import { strftime } from "./time-format.ts";

const at = new Date(2026, 10, 5, 9, 7, 3, 42);

test("the codes of strftime; what is none stays", () => {
  expect(strftime("%Y-%m-%d %H:%M:%S.%L", at)).toBe("2026-11-05 09:07:03.042");
  expect(strftime("%a %b %e %I:%M %p, day %j, 100%% %Q", at)).toBe("Thu Nov  5 09:07 AM, day 309, 100% %Q");
  expect(strftime("%D %T", at)).toBe("11/05/26 09:07:03");
});
