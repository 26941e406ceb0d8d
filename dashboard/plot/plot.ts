import { h, type Child, type Node } from "../dom/node.ts";
import type { App } from "../state/app.ts";
import { clock, day } from "../words.ts";
import { nearest, niceMarks, stretches, timeMarks, type Point, type Unit } from "./scale.ts";

export type Series = { readonly name: string; readonly points: readonly Point[] };

export type PlotOptions = {
  readonly title: string;
  readonly series: readonly Series[];
  readonly from: number;
  readonly to: number;
  readonly gapSeconds: number;
  readonly show: (value: number) => string;
  /** The axis reaches to this at least; from 1 on its marks are whole numbers. */
  readonly least: number;
  readonly unit: Unit;
};

const HEIGHT = 150;
const LEFT = 56;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 22;
const MOST_SERIES = 6;
const MOST_ROWS = 40;

/** A curve over time. What the eye sees stands below as a table as well. */
export function plot(app: App, key: string, options: PlotOptions): Node {
  const series = mostInteresting(options.series);
  const width = app.ui(`${key} width`, 560);
  const values = series.flatMap(({ points }) => points.flatMap(([, value]) => (value === null ? [] : [value])));
  const marks = niceMarks(Math.max(options.least, ...values), 3, options.unit).filter(
    (mark) => options.least < 1 || Number.isInteger(mark),
  );
  const top = Math.max(marks.at(-1) ?? 1, ...values);
  const { from, to } = options;
  const x = (at: number): number => LEFT + ((at - from) / Math.max(1, to - from)) * (width - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const hover = app.ui<number | null>(`${key} hover`, null);
  const summary = summaryOf(options, series);
  return h(
    "figure",
    { class: "plot", key, mounted: (element: HTMLElement) => measure(app, `${key} width`, element) },
    h(
      "figcaption",
      {},
      h("span", { class: "plot-title" }, options.title),
      h("span", { class: "plot-now" }, hover === null ? summary.now : readout(options, series, hover)),
    ),
    h(
      "svg",
      {
        viewBox: `0 0 ${width} ${HEIGHT}`,
        role: "img",
        "aria-label": `${options.title}. ${summary.spoken}`,
        on: {
          pointermove: (event: PointerEvent) => {
            const box = (event.currentTarget as Element).getBoundingClientRect();
            const at = from + (((event.clientX - box.left) / box.width) * width - LEFT) * ((to - from) / (width - LEFT - RIGHT));
            app.setUi(`${key} hover`, Math.min(to, Math.max(from, at)));
          },
          pointerleave: () => app.setUi(`${key} hover`, null),
        },
      },
      ...marks.map((mark) =>
        h(
          "g",
          { key: `y${mark}` },
          h("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(mark), y2: y(mark) }),
          h("text", { class: "tick", x: LEFT - 8, y: y(mark) + 4, "text-anchor": "end" }, options.show(mark)),
        ),
      ),
      ...timeMarks(from, to, Math.max(2, Math.floor(width / 95)), -new Date().getTimezoneOffset() * 60).map((at) =>
        h("text", { key: `x${at}`, class: "tick", x: x(at), y: HEIGHT - 5, "text-anchor": "middle" }, tickText(at, to - from)),
      ),
      ...series.flatMap(({ name, points }, index) => curves(name, points, index, series.length, options.gapSeconds, x, y)),
      hover !== null && h("line", { key: "hover", class: "hover", x1: x(hover), x2: x(hover), y1: TOP, y2: HEIGHT - BOTTOM }),
    ),
    series.length > 1 &&
      h(
        "ul",
        { class: "legend", "aria-hidden": "true" },
        ...series.map(({ name }, index) => h("li", { key: name }, h("span", { class: `swatch s${index}` }), name)),
      ),
    asTable(app, key, options, series),
  );
}

function curves(
  name: string,
  points: readonly Point[],
  index: number,
  all: number,
  gap: number,
  x: (at: number) => number,
  y: (value: number) => number,
): Node[] {
  return stretches(points, gap).map((stretch, part) => {
    const line = stretch.map(([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
    const [first, last] = [stretch[0], stretch.at(-1)];
    const area = first && last ? `M${x(first[0]).toFixed(1)} ${y(0)}L${line}L${x(last[0]).toFixed(1)} ${y(0)}Z` : "";
    return h(
      "g",
      { key: `${name} ${part}` },
      all === 1 && h("path", { class: "area", d: area }),
      // A single point has no line: a dot.
      stretch.length === 1 && first
        ? h("circle", { class: `dot s${index}`, cx: x(first[0]), cy: y(first[1]), r: 2 })
        : h("path", { class: `curve s${index}`, d: `M${line}` }),
    );
  });
}

/** With many targets: those with the highest values. */
function mostInteresting(series: readonly Series[]): readonly Series[] {
  if (series.length <= MOST_SERIES) return series;
  const top = (one: Series): number => Math.max(0, ...one.points.map(([, value]) => value ?? 0));
  return series.toSorted((a, b) => top(b) - top(a)).slice(0, MOST_SERIES);
}

function summaryOf({ show }: PlotOptions, series: readonly Series[]): { readonly now: string; readonly spoken: string } {
  const known = series.flatMap(({ points }) => points.flatMap(([, value]) => (value === null ? [] : [value])));
  if (known.length === 0) return { now: "nothing yet", spoken: "Nothing is known yet." };
  const last = series.map(
    ({ name, points }) => `${series.length > 1 ? `${name} ` : ""}${show(points.findLast(([, value]) => value !== null)?.[1] ?? 0)}`,
  );
  const top = show(Math.max(...known));
  return {
    now: `now ${last.join(", ")}; at most ${top}`,
    spoken: `Now ${last.join(", ")}, at most ${top}. The table below has the values.`,
  };
}

function readout({ show }: PlotOptions, series: readonly Series[], at: number): string {
  const found = series.flatMap(({ name, points }) => {
    const point = nearest(points, at);
    return point === null ? [] : [{ name, point }];
  });
  const time = found[0] === undefined ? "" : `${clock(found[0].point[0] * 1000, Date.now())}: `;
  return (
    time +
    found.map(({ name, point }) => `${series.length > 1 ? `${name} ` : ""}${point[1] === null ? "not known" : show(point[1])}`).join(", ")
  );
}

function asTable(app: App, key: string, { show, title }: PlotOptions, series: readonly Series[]): Node {
  const open = app.ui(`${key} table`, false);
  return h(
    "details",
    {
      class: "plot-table",
      open,
      on: { toggle: (event: Event) => app.setUi(`${key} table`, (event.currentTarget as HTMLDetailsElement).open) },
    },
    h("summary", {}, `${title} as a table`),
    open && h("div", { class: "table-box low", tabindex: 0, role: "group", "aria-label": `${title} as a table` }, valueTable(series, show)),
  );
}

function valueTable(series: readonly Series[], show: (value: number) => string): Child {
  const times = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].toSorted((a, b) => b - a);
  const step = Math.max(1, Math.ceil(times.length / MOST_ROWS));
  const shown = times.filter((_at, index) => index % step === 0);
  const maps = series.map(({ points }) => new Map(points));
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h("tr", {}, h("th", { scope: "col" }, "Time"), ...series.map(({ name }) => h("th", { scope: "col", class: "number" }, name))),
    ),
    h(
      "tbody",
      {},
      ...shown.map((at) =>
        h(
          "tr",
          { key: at },
          h("th", { scope: "row" }, clock(at * 1000, Date.now())),
          ...maps.map((map) => h("td", { class: "number" }, valueText(map.get(at), show))),
        ),
      ),
    ),
  );
}

function valueText(value: number | null | undefined, show: (value: number) => string): string {
  return value === null || value === undefined ? "" : show(value);
}

function tickText(at: number, span: number): string {
  const then = new Date(at * 1000);
  return span > 4 * 86_400 ? day(then).slice(5) : then.toTimeString().slice(0, 5);
}

function measure(app: App, key: string, element: HTMLElement): () => void {
  const observer = new ResizeObserver(([entry]) => {
    const width = Math.round(entry?.contentRect.width ?? 0);
    if (width > 0 && app.ui(key, 560) !== width) app.setUi(key, width);
  });
  observer.observe(element);
  return () => observer.disconnect();
}
