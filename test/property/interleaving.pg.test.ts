import { vi } from "vitest";
import { interleavings } from "./interleaving.ts";

vi.mock("../../src/base/point.ts", async (original) => ({ ...(await original<object>()), reach: (await import("./point-hook.ts")).reach }));

interleavings({
  seconds: 35,
  commands: 40,
  pairs: [
    [12, 18],
    [15, 16],
  ],
});
