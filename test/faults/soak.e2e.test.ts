import { test } from "vitest";
import { seed, soakSeconds } from "./schedule.ts";
import { soak } from "./soak.ts";

test(`one thing after the other goes wrong for ${soakSeconds} seconds (seed ${seed})`, { timeout: (soakSeconds + 300) * 1000 }, () =>
  soak({ seconds: soakSeconds, seed }),
);
