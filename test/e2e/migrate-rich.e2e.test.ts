import { test } from "vitest";
import { moveRichApplication } from "./rich-move.ts";

// The other pairs are in the long suite.
test("everything that an application may have moves from 10 to 18 while it changes", { timeout: 180_000 }, () =>
  moveRichApplication(10, 18),
);
