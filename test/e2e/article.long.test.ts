import { test } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { walkArticle } from "./article-walk.ts";

const moves: readonly (readonly [from: Major, to: Major])[] = [
  [10, 18],
  [11, 13],
  [15, 16],
  [17, 14],
  [18, 12],
];

test.for(moves)("the article moves alpha from %i to %i while clients write", ([from, to]) => walkArticle(from, to));
