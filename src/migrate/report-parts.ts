/** Parts of the report: bars and plots, drawn so that they fit any width. Pure. */

export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

export function stamp(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `12 ms`, `4.21 s`, `3 min 12 s`, `5 h 04 min`. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${String(Math.floor((ms % 60_000) / 1000)).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Powers of 1024, as PostgreSQL counts. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

export function countText(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export type Bar = { readonly from: number; readonly to: number; readonly failed: boolean; readonly title: string };
export type BarRow = { readonly what: string; readonly text: string; readonly bars: readonly Bar[] };

/** Rows of bars over one span of time, whose ends are told beneath. */
export function barsHtml(rows: readonly BarRow[], label: string, ends: readonly [string, string]): string {
  const all = rows.flatMap(({ bars }) => bars);
  const first = Math.min(...all.map(({ from }) => from));
  const length = Math.max(1, Math.max(...all.map(({ to }) => to)) - first);
  const percent = (value: number): string => `${((value / length) * 100).toFixed(2)}%`;
  const drawn = rows.map(({ what, text, bars }) => {
    const marks = bars.map(
      ({ from, to, failed, title }) =>
        `<i${failed ? ' class="failed"' : ""} style="left:${percent(from - first)};width:${percent(to - from)}" title="${escape(title)}"></i>`,
    );
    return `<span class="what">${escape(what)}</span><span class="track">${marks.join("")}</span><span class="n">${escape(text)}</span>`;
  });
  return `<div class="bars" role="img" aria-label="${escape(label)}">${drawn.join("\n")}
<span></span><span class="scale"><span>${escape(ends[0])}</span><span>${escape(ends[1])}</span></span><span></span></div>`;
}

export type Point = { readonly at: number; readonly value: number };

/** A curve over time with its highest value and its ends; nothing when there is too little to draw. */
export function plotHtml(title: string, points: readonly Point[], textOf: (value: number) => string): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) return "";
  const top = Math.max(...points.map((point) => point.value), 1);
  const x = (at: number): string => (((at - first.at) / Math.max(1, last.at - first.at)) * 1000).toFixed(1);
  const y = (value: number): string => (200 - (value / top) * 190).toFixed(1);
  const line = points.map((point) => `${x(point.at)} ${y(point.value)}`).join("L");
  const label = `${title}: at most ${textOf(top)}, over ${span(last.at - first.at)}`;
  return `<h2>${escape(title)}</h2><div class="plot"><div class="scale"><span>at most ${escape(textOf(top))}</span></div>
<svg viewBox="0 0 1000 200" preserveAspectRatio="none" role="img" aria-label="${escape(label)}"><path class="area" d="M0 200L${line}L1000 200Z"/><path class="curve" d="M${line}"/></svg>
<div class="scale"><span>${stamp(new Date(first.at))}</span><span>${stamp(new Date(last.at))}</span></div></div>`;
}
