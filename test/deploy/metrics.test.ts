import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { metrics } from "../../src/http/metrics.ts";
import { root } from "../harness/root.ts";

/** Every name that `/metrics` can hold, and the labels that stand there. */
const known = new Map(
  metrics.flatMap(({ name, type, labels }) =>
    (type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]).map((suffix) => [`${name}${suffix}`, labels] as const),
  ),
);

const NAME = /\b(?:bucardo|process)_[a-z_]+\b/g;

async function read(path: string): Promise<string> {
  return await readFile(join(root, "deploy", path), "utf8");
}

test("the dashboard of Grafana asks only for metrics and labels that there are", async () => {
  const dashboard = JSON.parse(await read("grafana/bucardo.json")) as { panels: { targets: { expr: string; legendFormat: string }[] }[] };
  const targets = dashboard.panels.flatMap((panel) => panel.targets);
  expect(targets.length).toBeGreaterThan(12);
  for (const { expr, legendFormat } of targets) {
    const names = expr.match(NAME) ?? [];
    expect(names, expr).not.toEqual([]);
    for (const name of names) expect([...known.keys()], expr).toContain(name);
    const labels = names.flatMap((name) => known.get(name) ?? []);
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(labels, `${expr} has no label ${label}`).toContain(label);
  }
});

test("the alert rules ask only for metrics and labels that there are", async () => {
  const rules = await read("prometheus/bucardo-rules.yml");
  const alerts = rules.split("- alert: ").slice(1);
  expect(alerts.length).toBeGreaterThan(8);
  for (const alert of alerts) {
    const names = /expr: (.*)/.exec(alert)?.[1]?.match(NAME) ?? [];
    expect(names, alert).not.toEqual([]);
    for (const name of names) expect([...known.keys()], alert).toContain(name);
    const labels = names.flatMap((name) => known.get(name) ?? []);
    for (const [, label] of alert.matchAll(/\$labels\.(\w+)/g)) expect(labels, alert).toContain(label);
  }
});
