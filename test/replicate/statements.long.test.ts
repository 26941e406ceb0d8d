import { test } from "vitest";
import { majors } from "../harness/binaries.ts";
import { followStatements } from "./statement-scenario.ts";

const ways = ["one by one", "all at once"] as const;
const pairs = majors.flatMap((from) => ([10, 12, 15, 18] as const).flatMap((to) => ways.map((way) => [from, to, way] as const)));

test.for(pairs)("every kind of statement, from %i to %i, %s", ([from, to, way]) => followStatements(from, to, way));
