import { test } from "vitest";
import { replicateEveryKey } from "./key-scenario.ts";

test.for([
  [10, 18],
  [18, 15],
] as const)("keys of every type are captured, looked up and written from %i to %i", ([from, to]) => replicateEveryKey(from, to));
