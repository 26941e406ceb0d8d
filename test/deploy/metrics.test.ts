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

type Source = { readonly type: string; readonly uid: string };
type Place = { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
type Dashboard = {
  readonly id?: number;
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: { name: string; type: string; datasource?: Source }[] };
  readonly annotations: { readonly list: { datasource: Source }[] };
  readonly panels: { id: number; type: string; gridPos: Place; datasource: Source; targets: { refId: string; expr: string }[] }[];
};

test("any Grafana can take the dashboard: it names no data source of ours, no number of another one, and its panels have a place each", async () => {
  const text = await read("grafana/bucardo.json");
  const { id, uid, schemaVersion, templating, annotations, panels } = JSON.parse(text) as Dashboard;
  expect({ id, uid, schemaVersion }).toEqual({ id: undefined, uid: "bucardo", schemaVersion: 39 });
  const variables = new Map(templating.list.map(({ name, type }) => [name, type]));
  expect(variables.get("datasource")).toBe("datasource");
  const asking = templating.list.filter(({ type }) => type === "query");
  for (const { datasource } of [...panels, ...annotations.list, ...asking])
    expect(datasource).toEqual({ type: "prometheus", uid: "${datasource}" });
  for (const [, name] of text.matchAll(/\$\{?(\w+)/g)) expect([...variables.keys(), "__all", "__rate_interval"]).toContain(name);

  expect(new Set(panels.map((panel) => panel.id)).size).toBe(panels.length);
  const taken = new Set<string>();
  for (const { type, gridPos, targets } of panels) {
    expect(["stat", "timeseries"]).toContain(type);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken, "two panels in one place").not.toContain(`${x} ${y}`);
        taken.add(`${x} ${y}`);
      }
  }
});

test("whatever is named anywhere in them is a metric, with labels that it has", async () => {
  for (const path of ["grafana/bucardo.json", "prometheus/bucardo-rules.yml", "prometheus/bucardo-rules-test.yml"]) {
    const text = (await read(path)).replaceAll('\\"', '"');
    for (const [, name, labels = ""] of text.matchAll(/\b((?:bucardo|process)_[a-z_]+)\b(?:\{([^}]*)\})?/g)) {
      expect([...known.keys()], path).toContain(name);
      for (const [, label] of labels.matchAll(/(\w+)\s*(?:=|!)/g))
        expect([...(known.get(name!) ?? []), "job", "instance"], name).toContain(label);
    }
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
