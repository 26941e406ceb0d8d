import type { ComparedTable } from "./compared-table.ts";
import { phases } from "./phase.ts";
import { barsHtml, bytesText, countText, escape, plotHtml, span, stamp, type Bar, type Point } from "./report-parts.ts";
import { STYLE } from "./report-style.ts";
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
  /** What the copy of each table brought, and the comparison found. */
  readonly tables: readonly ComparedTable[];
  readonly madeAt: Date;
};

/** One HTML file that needs nothing else: what was moved, how long each step took, how copy and lag went. Pure. */
export function reportHtml(facts: ReportFacts): string {
  const title = `Move of ${facts.from} to ${facts.to}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title>
<style>${STYLE}</style></head><body><main>
<p class="kicker">bucardo migrate</p>
<h1>${escape(facts.from)} &rarr; ${escape(facts.to)}</h1>
${summary(facts)}
<h2>Steps</h2>
${timeline(facts.steps.filter(isPhaseStep))}
${stepTable(facts.steps.filter(isPhaseStep))}
${turns(facts.steps.filter((step) => !isPhaseStep(step)))}
${plotHtml("Speed of the copy", copyPoints(facts.samples), (value) => `${bytesText(value)}/s`)}
${plotHtml("Lag", lagPoints(facts.samples), (value) => `${countText(value)} deltas waiting`)}
<h2>Tables</h2>
${tableList(facts)}
</main></body></html>
`;
}

function counted(number: number, one: string): string {
  return `${countText(number)} ${one}${number === 1 ? "" : "s"}`;
}

function isPhaseStep({ phase }: Step): boolean {
  return (phases as readonly string[]).includes(phase);
}

function summary({ migration, steps, program, fromVersion, toVersion, madeAt }: ReportFacts): string {
  const tables = migration.relations?.tables ?? [];
  const worked = steps.reduce((sum, { began, ended }) => sum + ((ended ?? began).getTime() - began.getTime()), 0);
  const rows: readonly (readonly [string, string])[] = [
    [
      "State",
      migration.openSide === "new"
        ? "switched over: the new side is in use"
        : migration.phase === "ready"
          ? "both sides in step; the old one is in use"
          : `at "${migration.phase}"; the old side is in use`,
    ],
    ["Versions", `PostgreSQL ${fromVersion} to ${toVersion}`],
    [
      "What",
      `${counted(tables.length, "table")}, ${bytesText(tables.reduce((sum, { bytes }) => sum + bytes, 0))}; ${counted(migration.relations?.sequences.length ?? 0, "sequence")}`,
    ],
    ["Begun", stamp(migration.startedAt)],
    ["Time at work", span(worked)],
    ["Reported", `${stamp(madeAt)} by ${program}`],
  ];
  return `<dl>${rows.map(([name, text]) => `<div><dt>${name}</dt><dd>${escape(text)}</dd></div>`).join("")}</dl>`;
}

/** A row per phase, a bar per attempt, left where it began. `ready` takes no time. */
function timeline(steps: readonly Step[]): string {
  const shown = steps.filter(({ phase }) => phase !== "ready");
  if (shown.length === 0) return "<p>Nothing was done yet.</p>";
  const rows = [...new Set(shown.map(({ phase }) => phase))].map((what) => {
    const mine = shown.filter(({ phase }) => phase === what);
    return { what, text: span(mine.reduce((sum, step) => sum + lengthOf(step), 0)), bars: mine.map(barOf) };
  });
  const began = Math.min(...shown.map((step) => step.began.getTime()));
  const ended = Math.max(...shown.map((step) => step.began.getTime() + lengthOf(step)));
  return barsHtml(rows, "When each step was done", [stamp(new Date(began)), `+ ${span(ended - began)}`]);
}

function lengthOf({ began, ended }: Step): number {
  return (ended ?? began).getTime() - began.getTime();
}

function barOf(step: Step): Bar {
  const from = step.began.getTime();
  const failed = step.outcome === "failed";
  return { from, to: from + lengthOf(step), failed, title: `${step.phase}: ${span(lengthOf(step))}${failed ? ", broken off" : ""}` };
}

function stepTable(steps: readonly Step[]): string {
  const rows = steps
    .filter(({ phase }) => phase !== "ready")
    .map((step) => {
      const took = step.ended === null ? "not ended" : span(lengthOf(step));
      const outcome = step.outcome === "failed" ? '<span class="bad">broken off</span>' : (step.outcome ?? "");
      return `<tr><td>${escape(step.phase)}</td><td class="n">${took}</td><td>${outcome}</td><td class="name">${escape(detailText(step.detail))}</td></tr>`;
    });
  return `<h3>Each attempt</h3><div class="wide"><table><thead><tr><th>step</th><th class="n">took</th><th>outcome</th><th>what</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

/** What a cutover or switchback leaves of itself. */
type TurnDetail = {
  readonly outcome?: string;
  readonly downtimeMs?: number | null;
  readonly timings?: readonly { readonly step: string; readonly at: number; readonly ms: number }[];
  readonly error?: string;
};

/** Each cutover, switchback and rehearsal, with the steps of its window. */
function turns(steps: readonly Step[]): string {
  if (steps.length === 0) return "";
  const parts = steps.map((step) => {
    const { outcome, downtimeMs, timings = [], error } = (step.detail ?? {}) as TurnDetail;
    const good = outcome === "switched" || outcome === "rehearsed";
    const word = `<span class="${good ? "good" : "bad"}">${escape(outcome ?? "not ended")}</span>`;
    const waited = downtimeMs === null || downtimeMs === undefined ? "" : ` Writers waited ${span(downtimeMs)}.`;
    const bars = timings.map(({ step: what, at, ms }) => ({
      what,
      text: span(ms),
      bars: [{ from: at, to: at + ms, failed: false, title: `${what}: ${span(ms)}` }],
    }));
    const end = Math.max(...timings.map(({ at, ms }) => at + ms));
    return `<h3>${escape(step.phase)}: ${word}</h3><p class="soft">${stamp(step.began)}.${waited}${error === undefined ? "" : ` ${escape(sentence(error))}`}</p>
${bars.length === 0 ? "" : barsHtml(bars, "Steps of the window", ["first writer waits", `+ ${span(end)}`])}`;
  });
  return `<h2>Cutovers</h2>\n${parts.join("\n")}`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function detailText(detail: unknown): string {
  if (typeof detail !== "object" || detail === null) return "";
  const { error } = detail as { readonly error?: unknown };
  if (typeof error === "string") return error;
  return Object.entries(detail)
    .flatMap(([name, value]) => partText(name, value) ?? [])
    .join(", ");
}

/** `412 objects`, `38.4 GB`, `by the built-in pg_dump`; null for what is empty. */
function partText(name: string, value: unknown): string | null {
  // `largeObjects` -> `large objects`
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (typeof value === "number") return name === "bytes" ? bytesText(value) : `${countText(value)} ${words}`;
  if (Array.isArray(value)) return value.length === 0 ? null : `${words}: ${value.join(", ")}`;
  if (name === "lag") return `${countText((value as { deltas: number }).deltas)} deltas left`;
  if (typeof value !== "string" || value === "") return null;
  return name === "note" ? value : `${words} ${value}`;
}

function copyPoints(samples: readonly Sample[]): Point[] {
  return samples.flatMap(({ at, phase, rate }) => (phase === "copy" && rate !== null ? [{ at: at.getTime(), value: rate }] : []));
}

function lagPoints(samples: readonly Sample[]): Point[] {
  return samples.flatMap(({ at, deltas }) => (deltas === null ? [] : [{ at: at.getTime(), value: deltas }]));
}

function tableList({ tables }: ReportFacts): string {
  if (tables.length === 0) return "<p>None were chosen yet.</p>";
  return `<p class="soft">Hash: the sum of the hashes of all rows of the old side as the comparison saw them; the new side held the same. Rows that somebody was changing in that moment were compared by their keys afterwards, and the rows touched since at the cutover.</p>
<div class="wide"><table><thead><tr><th>table</th><th class="n">size at the start</th><th class="n">rows copied</th><th>key</th><th class="n">rows compared</th><th>hash</th></tr></thead><tbody>
${tables.map(tableRow).join("\n")}
</tbody></table></div>`;
}

function tableRow({ table, key, handling, bytes, copied, compared }: ComparedTable): string {
  const keyText =
    key === null ? `<span class="soft">${handling === "window" ? "none: copied at the cutover" : "none"}</span>` : escape(key.join(", "));
  const found =
    compared === null
      ? "<td></td><td></td>"
      : `<td class="n">${countText(compared.rows)}</td><td class="name" title="${stamp(compared.at)}">${escape(compared.hash)}${compared.onTheWay === 0 ? "" : ` <span class="soft">${counted(compared.onTheWay, "row")} on the way</span>`}</td>`;
  return `<tr><td class="name">${escape(table)}</td><td class="n">${bytesText(bytes)}</td><td class="n">${copied === null ? "" : countText(copied)}</td><td>${keyText}</td>${found}</tr>`;
}
