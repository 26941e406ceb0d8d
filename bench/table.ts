import type { Metric } from "./benchmark.ts";
import type { CaseResult } from "./result.ts";
import { ratios, spread, valuesOf, type Spread } from "./statistics.ts";

/** One row per contender: its metrics as median (min to max), and the ratio to the reference. */
export function caseTable(result: CaseResult): string[][] {
  const { metrics, reference, samples } = result;
  const compared = reference === null ? [] : metrics.filter((metric, at) => at === 0 || metric.ratio === true);
  const ratioNames = compared.map(({ name }) => `${compared.length > 1 ? `${name}, ` : ""}ratio to ${reference}`);
  const head = ["contender", ...metrics.map(({ name, unit }) => `${name}, ${unit}`), ...ratioNames];
  const contenders = [...new Set(samples.map(({ contender }) => contender))];
  const rows = contenders.map((contender) => [
    contender,
    ...metrics.map((metric) => cell(spread(valuesOf(samples, contender, metric.name)))),
    ...compared.map((metric) => ratioCell(result, contender, metric)),
  ]);
  const absent = Object.entries(result.notShown).map(([contender, why]) => [
    contender,
    `not shown: ${why}`,
    ...head.slice(2).map(() => ""),
  ]);
  return [head, ...rows, ...absent];
}

function ratioCell({ samples, reference }: CaseResult, contender: string, metric: Metric): string {
  if (reference === null) return "";
  const { median, min, max, count } = spread(ratios(samples, contender, reference, metric.name));
  return count === 0 ? "" : count === 1 ? fixed(median, 2) : `${fixed(median, 2)} (${fixed(min, 2)} to ${fixed(max, 2)})`;
}

function cell({ median, min, max, count }: Spread): string {
  if (count === 0) return "";
  return count === 1 || min === max ? number(median) : `${number(median)} (${number(min)} to ${number(max)})`;
}

/** Three digits that matter, so that columns are comparable at a glance. */
export function number(value: number): string {
  const size = Math.abs(value);
  return size >= 100 || value === 0 ? Math.round(value).toLocaleString("en-US") : size >= 10 ? fixed(value, 1) : fixed(value, 2);
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}

export function plainTable(rows: readonly (readonly string[])[]): string {
  return aligned(rows)
    .map((cells) => `  ${cells.join("   ")}`.trimEnd())
    .join("\n");
}

export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = aligned(rows.map((row) => row.map((text) => text.replaceAll("|", "\\|"))));
  const rule = (head ?? []).map((text) => "-".repeat(text.length));
  return [head ?? [], rule, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function aligned(rows: readonly (readonly string[])[]): string[][] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => widths.map((width, column) => (row[column] ?? "").padEnd(width)));
}
