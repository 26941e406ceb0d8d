import { expect, test } from "vitest";
import { carryLargeRow } from "./large-row.ts";

test("a row of 200 MB crosses without this process growing", async () => {
  expect(await carryLargeRow(15, 18, "bytea", 200)).toBeLessThan(64);
}, 120_000);
