import { test } from "vitest";
import { majors } from "../harness/binaries.ts";
import { followIntoTree, followTen, followTree } from "./partition-scenario.ts";

const shapes = ["same", "plain", "otherwise"] as const;
const pairs = majors
  .filter((from) => from >= 11)
  .flatMap((from) => ([10, 11, 12, 15, 18] as const).flatMap((to) => shapes.map((shape) => [from, to, shape] as const)))
  .filter(([, to, shape]) => to >= 11 || shape === "plain");

test.for(pairs)("a partition tree of %i is followed by %i (%s)", ([from, to, shape]) => followTree(from, to, shape));

test.for(pairs.filter(([, , shape]) => shape !== "plain"))(
  "a plain table of %i is followed by a partitioned one of %i (%s)",
  ([from, to, shape]) => followIntoTree(from, to, shape),
);

test.for([
  [10, 10],
  [10, 15],
  [15, 10],
] as const)("partitions of %i to %i: in 10 every leaf has its own key and no row moves", ([from, to]) => followTen(from, to));
