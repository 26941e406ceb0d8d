import { test } from "vitest";
import { majors } from "../harness/binaries.ts";
import { replicateEveryKey } from "./key-scenario.ts";

const pairs = majors.flatMap((from) => [...new Set([10, 12, 15, 18, from] as const)].map((to) => [from, to] as const));

test.for(pairs)("keys of every type are captured, looked up and written from %i to %i", ([from, to]) => replicateEveryKey(from, to));
