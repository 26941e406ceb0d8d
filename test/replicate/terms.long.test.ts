import { test } from "vitest";
import { termsScenario } from "./terms-scenario.ts";

test.each([
  [11, 10],
  [12, 11],
  [13, 14],
  [14, 13],
  [15, 16],
  [16, 15],
  [17, 18],
  [18, 17],
] as const)("other names, columns and rows, from %i to %i", { timeout: 120_000 }, async (...majors) => termsScenario(majors));
