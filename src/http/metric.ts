/** A metric as it is declared: docs/http.md lists the same, and a test holds both together. */
export type Metric = {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
};

export type Point = {
  /** Of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
};

/** Families in Prometheus' text form, version 0.0.4. Those without points are left out. Pure. */
export function renderMetrics(families: readonly (readonly [Metric, readonly Point[]])[]): string {
  return families
    .filter(([, points]) => points.length > 0)
    .map(([{ name, type, help }, points]) =>
      [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...points.map((point) => line(name, point))]
        .map((each) => `${each}\n`)
        .join(""),
    )
    .join("");
}

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

function line(name: string, { suffix = "", labels = {}, value }: Point): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${suffix}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numberText(value)}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
