import { test } from "vitest";
import { majors } from "../harness/binaries.ts";
import { replicateEveryValue } from "./value-scenario.ts";

const pairs = majors.flatMap((from) => [...new Set([10, 12, 15, 18, from] as const)].map((to) => [from, to] as const));

test.for(pairs)("values of every type cross from %i to %i", ([from, to]) => replicateEveryValue(from, to, "elsewhere"));
