import { test } from "vitest";
import { termsScenario } from "./terms-scenario.ts";

test.each([
  [10, 18],
  [18, 12],
] as const)("other names, columns and rows, from %i to %i", async (...majors) => termsScenario(majors));
