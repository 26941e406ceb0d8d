import { test } from "vitest";
import { walkArticle } from "./article-walk.ts";

// The long suite walks more pairs.
test("the article moves alpha from 12 to 18 while clients write", { timeout: 180_000 }, () => walkArticle(12, 18));
