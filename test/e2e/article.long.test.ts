// The same walk-through; with BUCARDO_LONG it has all pairs of versions.
import "./article.e2e.test.ts";
