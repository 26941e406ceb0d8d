import { test } from "vitest";
import { walkArticle } from "./article-walk.ts";

// The long suite walks more pairs.
// proves: 6.3/delta-sync, 6.3/versions, 6.3/pre-warmed, 6.4/programs, 6.4/schema-name
test("the article moves alpha from 12 to 18 while clients write", { timeout: 180_000 }, () => walkArticle(12, 18));
