import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const require = createRequire(import.meta.url);
let source: Promise<string> | null = null;

/** What axe finds against WCAG 2.2 AA and good practice: rule, why, and where. None: an empty list. `rules`: only these. */
export async function violations(page: Page, rules: readonly string[] | null = null): Promise<string[]> {
  source ??= readFile(require.resolve("axe-core/axe.min.js"), "utf8");
  const script = await source;
  // Evaluated by the browser's debugger, which the page's Content-Security-Policy does not concern.
  await page.evaluate(`if (globalThis.axe === undefined) { ${script} }`);
  return await page.evaluate(`axe.run(document, { resultTypes: ["violations"] ${rules === null ? "" : `, runOnly: ${JSON.stringify(rules)}`} }).then(({ violations }) =>
    violations.map(({ id, help, nodes }) => id + ": " + help + ": " + nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + (node.any[0]?.message ?? "")).join(" | ")))`);
}
