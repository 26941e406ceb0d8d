import { displayName } from "../model/name.ts";
import type { Migration, Sample, Step } from "./state.ts";

/** All that a report tells; counts and names, never a value of a row. */
export type ReportFacts = {
  readonly program: string;
  readonly from: string;
  readonly to: string;
  readonly fromVersion: string;
  readonly toVersion: string;
  readonly migration: Migration;
  readonly steps: readonly Step[];
  readonly samples: readonly Sample[];
  readonly madeAt: Date;
};

/** One HTML file that needs nothing else: what was moved, how long each step took, how copy and lag went. Pure. */
export function reportHtml(facts: ReportFacts): string {
  const { migration, steps, samples } = facts;
  const tables = migration.relations?.tables ?? [];
  const title = `Move of ${facts.from} to ${facts.to}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title>
<style>${STYLE}</style></head><body><main>
<h1>${escape(title)}</h1>
<p>${escape(facts.program)}; PostgreSQL ${escape(facts.fromVersion)} to ${escape(facts.toVersion)}; begun ${stamp(migration.startedAt)}, reported ${stamp(facts.madeAt)}.
The ${migration.openSide} side is in use.</p>
<h2>Steps</h2>
${timeline(steps)}
${stepTable(steps)}
${plotSection("Copy", "bytes a second", copyPoints(samples))}
${plotSection("Lag", "deltas waiting", lagPoints(samples))}
<h2>Tables</h2>
<p>${tables.length} tables, ${migration.relations?.sequences.length ?? 0} sequences.</p>
<table><thead><tr><th>table</th><th>bytes at the start</th><th>key</th><th>handling</th></tr></thead><tbody>
${tables.map((table) => `<tr><td>${escape(displayName(table))}</td><td class="n">${table.bytes.toLocaleString("en-US")}</td><td>${escape(table.key?.join(", ") ?? "none")}</td><td>${table.handling}</td></tr>`).join("\n")}
</tbody></table>
</main></body></html>
`;
}

const STYLE = `:root{color-scheme:light dark;--ink:#1b1f24;--soft:#667;--line:#ccd;--bar:#2b6cb0;--bad:#b03a2b;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ec;--soft:#9aa;--line:#445;--bar:#63a4e8;--bad:#e8806f;--paper:#15181c}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}main{max-width:60rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}.n{text-align:right;font-variant-numeric:tabular-nums}
svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font-size:11px}.bar{fill:var(--bar)}.failed{fill:var(--bad)}.curve{fill:none;stroke:var(--bar);stroke-width:1.5}.axis{stroke:var(--line)}`;

const WIDTH = 800;
const NAMES = 110;

/** A bar per step, left where it began. */
function timeline(steps: readonly Step[]): string {
  if (steps.length === 0) return "<p>Nothing was done yet.</p>";
  const began = Math.min(...steps.map((step) => step.began.getTime()));
  const ended = Math.max(...steps.map((step) => (step.ended ?? step.began).getTime()), began + 1);
  const x = (at: Date): number => NAMES + ((at.getTime() - began) / (ended - began)) * (WIDTH - NAMES);
  const rows = [...new Set(steps.map((step) => step.phase))];
  const bars = steps.map((step) => {
    const end = step.ended ?? step.began;
    const y = rows.indexOf(step.phase) * 22;
    const label = `${step.phase}: ${seconds(end.getTime() - step.began.getTime())}${step.outcome === "failed" ? ", broken off" : ""}`;
    return `<rect class="${step.outcome === "failed" ? "failed" : "bar"}" x="${x(step.began).toFixed(1)}" y="${y + 4}" width="${Math.max(2, x(end) - x(step.began)).toFixed(1)}" height="14" rx="2"><title>${escape(label)}</title></rect>`;
  });
  const names = rows.map((row, index) => `<text x="0" y="${index * 22 + 15}">${escape(row)}</text>`);
  return `<svg viewBox="0 0 ${WIDTH} ${rows.length * 22}" role="img" aria-label="When each step was done">${names.join("")}${bars.join("")}</svg>`;
}

function stepTable(steps: readonly Step[]): string {
  const rows = steps.map(({ phase, began, ended, outcome, detail }) => {
    const took = ended === null ? "not ended" : seconds(ended.getTime() - began.getTime());
    return `<tr><td>${escape(phase)}</td><td>${stamp(began)}</td><td class="n">${took}</td><td>${outcome ?? ""}</td><td>${escape(detailText(detail))}</td></tr>`;
  });
  return `<table><thead><tr><th>step</th><th>began</th><th>took</th><th>outcome</th><th>what</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

function detailText(detail: unknown): string {
  if (typeof detail !== "object" || detail === null) return "";
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== "")
    .map(
      ([name, value]) =>
        `${name}: ${typeof value === "number" ? value.toLocaleString("en-US") : typeof value === "string" ? value : JSON.stringify(value)}`,
    )
    .join("; ");
}

type Point = { readonly at: number; readonly value: number };

function copyPoints(samples: readonly Sample[]): Point[] {
  return samples.flatMap(({ at, phase, rate }) => (phase === "copy" && rate !== null ? [{ at: at.getTime(), value: rate }] : []));
}

function lagPoints(samples: readonly Sample[]): Point[] {
  return samples.flatMap(({ at, deltas }) => (deltas === null ? [] : [{ at: at.getTime(), value: deltas }]));
}

const HEIGHT = 160;

function plotSection(title: string, unit: string, points: readonly Point[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) return "";
  const top = Math.max(...points.map((point) => point.value), 1);
  const x = (at: number): number => ((at - first.at) / Math.max(1, last.at - first.at)) * WIDTH;
  const y = (value: number): number => HEIGHT - (value / top) * (HEIGHT - 20);
  const line = points.map((point) => `${x(point.at).toFixed(1)},${y(point.value).toFixed(1)}`).join(" ");
  const label = `${title}: at most ${Math.round(top).toLocaleString("en-US")} ${unit}, over ${seconds(last.at - first.at)}`;
  return `<h2>${title}</h2><svg viewBox="0 0 ${WIDTH} ${HEIGHT + 4}" role="img" aria-label="${escape(label)}">
<line class="axis" x1="0" y1="${HEIGHT}" x2="${WIDTH}" y2="${HEIGHT}"/><text x="0" y="12">${escape(label)}</text><polyline class="curve" points="${line}"/></svg>`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms / 1000).toLocaleString("en-US")} s`;
}

function stamp(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
