import { h, type Child, type Node } from "../dom/node.ts";
import { rich } from "./rich.ts";
import type { Tone } from "../state/health.ts";
import type { App } from "../state/app.ts";

const MARKS: Readonly<Record<Tone, string>> = { good: "●", busy: "▶", warn: "▲", bad: "✖", off: "○" };

/** A state: its mark, its colour and its word; each alone is enough. */
export function badge(tone: Tone, word: string): Node {
  return h("span", { class: `badge ${tone}` }, mark(tone), word);
}

export function mark(tone: Tone): Node {
  return h("span", { class: `mark ${tone}`, "aria-hidden": "true" }, MARKS[tone]);
}

/** A button that does something; busy: it is being done. */
export function button(
  label: string,
  press: () => void,
  more: { readonly kind?: string; readonly busy?: boolean; readonly title?: string } = {},
): Node {
  const { kind = "", busy = false, title } = more;
  // Not `disabled`: the focus would be lost.
  return h(
    "button",
    {
      type: "button",
      class: `button ${kind}`,
      title,
      "aria-disabled": busy ? "true" : null,
      "aria-busy": busy ? "true" : null,
      on: { click: () => busy || press() },
    },
    label,
    busy && h("span", { class: "spin", "aria-hidden": "true" }),
  );
}

/** Something somebody has to know: what it is, and what to do. */
export function callout(tone: Tone, title: Child, text: Child, advice: Child = null, role: string | null = null): Node {
  return h(
    "div",
    { class: `callout ${tone}`, role },
    mark(tone),
    h(
      "div",
      {},
      h("p", { class: "callout-title" }, title),
      text !== null && h("p", {}, text),
      advice !== null && advice !== "" && h("p", { class: "advice" }, typeof advice === "string" ? rich(advice) : advice),
    ),
  );
}

/** A part of a page under its own heading. */
export function section(id: string, title: string, more: Child, ...children: readonly Child[]): Node {
  return h(
    "section",
    { class: "card", "aria-labelledby": id, key: id },
    h("div", { class: "card-head" }, h("h2", { id }, title), more),
    ...children,
  );
}

/** Names and values. */
export function facts(...pairs: readonly (readonly [string, Child] | null)[]): Node {
  return h(
    "dl",
    { class: "facts" },
    ...pairs.flatMap((pair) => (pair === null ? [] : [h("div", {}, h("dt", {}, pair[0]), h("dd", {}, pair[1]))])),
  );
}

/** One of several, by buttons that say whether they are pressed. */
export function choice<Value extends string>(
  app: App,
  key: string,
  label: string,
  options: readonly { readonly value: Value; readonly label: string; readonly count?: number }[],
  initial: Value,
): Node {
  const now = app.ui<Value>(key, initial);
  return h(
    "div",
    { class: "choice", role: "group", "aria-label": label },
    ...options.map(({ value, label: text, count }) =>
      h(
        "button",
        { type: "button", key: value, "aria-pressed": String(now === value), on: { click: () => app.setUi(key, value) } },
        text,
        count !== undefined && h("span", { class: "count" }, String(count)),
      ),
    ),
  );
}

/** A bar; without `share` nobody knows how much there is. */
export function bar(label: string, share: number | null): Node {
  const percent = share === null ? null : Math.floor(Math.min(1, Math.max(0, share)) * 100);
  return h(
    "div",
    {
      class: `bar ${percent === null ? "unknown" : ""}`,
      role: "progressbar",
      "aria-label": label,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-valuenow": percent,
    },
    h("div", { class: "bar-done", style: { width: `${percent ?? 30}%` } }),
  );
}
