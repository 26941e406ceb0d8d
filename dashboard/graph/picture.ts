import type { Snapshot } from "../../src/http/page-types.ts";
import { h, type Child, type Node } from "../dom/node.ts";
import type { App } from "../state/app.ts";
import type { SyncHealth } from "../state/health.ts";
import { hrefOf } from "../state/route.ts";
import { counted, duration, lagText, short } from "../words.ts";
import { choose, flowsOf, type Flow } from "./arrows.ts";
import { layOut, type Curve, type Place, type Sizes } from "./layout.ts";

const WIDE: Sizes = { boxWidth: 190, boxHeight: 44, layerGap: 270, gap: 14, port: 20 };
const NARROW: Sizes = { boxWidth: 108, boxHeight: 30, layerGap: 106, gap: 12, port: 19 };
const PAD = 14;
/** Beyond this many arrows labels would hide each other; the tone stays, and the list beside has the numbers. */
const MOST_LABELS = 24;

/** Who feeds whom, with the lag on the arrows. A click leads on: to the sync, or to the list of those between two databases. */
export function picture(app: App, seen: Snapshot, syncs: readonly SyncHealth[]): Node {
  const { shown, left } = choose(flowsOf(syncs));
  const narrow = app.ui("narrow", false);
  const sizes = narrow ? NARROW : WIDE;
  const used = new Set(shown.flatMap(({ from, to }) => [from, to]));
  const alone = left === 0 ? seen.databases.map(({ name }) => name).filter((name) => !used.has(name)) : [];
  const names = [
    ...seen.databases.map(({ name }) => name).filter((name) => used.has(name)),
    ...[...used].filter((name) => !seen.databases.some((db) => db.name === name)),
  ];
  const layout = layOut(names, shown, sizes);
  const [width, height] = [layout.width + PAD * 2, layout.height + PAD * 2];
  return h(
    "div",
    { class: "picture" },
    names.length === 0
      ? h("p", { class: "quiet" }, "Nothing to draw.")
      : h(
          "div",
          {
            class: "picture-box",
            tabindex: 0,
            role: "group",
            "aria-label": "Picture: which database feeds which. The list of syncs has the same as text.",
          },
          h(
            "svg",
            {
              viewBox: `0 0 ${width} ${height}`,
              width,
              height,
              role: "group",
              "aria-label": `${counted(names.length, "database")}, ${counted(shown.length, "arrow")}`,
            },
            arrowHeads(),
            ...shown.map((flow, index) => arrow(app, flow, layout.curves[index])),
            ...layout.places.map((place) => box(app, seen, place, sizes)),
            h(
              "g",
              { class: "labels", "aria-hidden": "true" },
              ...layout.places.map((place) => boxText(seen, place, sizes)),
              ...(shown.length <= MOST_LABELS ? shown.map((flow, index) => label(flow, layout.curves[index], narrow)) : []),
            ),
          ),
        ),
    left > 0 && h("p", { class: "quiet" }, `${counted(left, "database")} not drawn: a search or a filter narrows the picture.`),
    alone.length > 0 &&
      h(
        "p",
        { class: "quiet" },
        `Without a sync here: ${alone.slice(0, 12).join(", ")}${alone.length > 12 ? ` and ${alone.length - 12} more` : ""}.`,
      ),
  );
}

function arrowHeads(): Node {
  return h(
    "defs",
    {},
    ...["good", "busy", "warn", "bad", "off"].map((tone) =>
      h(
        "marker",
        {
          key: tone,
          id: `head-${tone}`,
          viewBox: "0 0 10 10",
          refX: 9,
          refY: 5,
          markerWidth: 7,
          markerHeight: 7,
          orient: "auto-start-reverse",
        },
        h("path", { class: `head ${tone}`, d: "M0 0L10 5L0 10z" }),
      ),
    ),
  );
}

function arrow(app: App, flow: Flow, curve: Curve | undefined): Child {
  if (curve === undefined) return null;
  const [only] = flow.syncs;
  const name = flow.syncs.length === 1 ? `sync ${only}` : counted(flow.syncs.length, "sync");
  const spoken = `${flow.from} feeds ${flow.to}: ${name}, ${STATES[flow.tone]}, ${lagText(flow.lag)}`;
  const href = flow.syncs.length === 1 && only !== undefined ? hrefOf({ page: "sync", sync: only }) : "#/";
  const press = (event: Event): void => {
    if (flow.syncs.length === 1) return;
    event.preventDefault();
    app.setUi("between", { from: flow.from, to: flow.to });
  };
  return h(
    "a",
    { key: `${flow.from} ${flow.to}`, href, class: `flow ${flow.tone}`, "aria-label": spoken, on: { click: press } },
    h("title", {}, spoken),
    h("path", { class: "reach", d: shifted(curve.path) }),
    h("path", { class: `line ${flow.running ? "running" : ""}`, d: shifted(curve.path), "marker-end": `url(#head-${flow.tone})` }),
  );
}

/** What stands on an arrow: apart from it, so that no line crosses a word. Those who listen hear it from the arrow. */
function label({ lag, tone, syncs, from, to }: Flow, curve: Curve | undefined, narrow: boolean): Child {
  if (curve === undefined) return null;
  const name = clip(syncs.length === 1 ? (syncs[0] ?? "") : counted(syncs.length, "sync"), 18);
  return h(
    "text",
    { key: `${from} ${to}`, class: `flow-label ${tone}`, x: curve.labelX + PAD, y: curve.labelY + PAD - 4, "text-anchor": curve.anchor },
    narrow ? null : h("tspan", { class: "flow-name" }, `${name} `),
    lagLabel(lag, narrow),
  );
}

const STATES = { good: "in step", busy: "running", warn: "needs attention", bad: "stopped or failing", off: "resting" } as const;

function lagLabel(lag: Flow["lag"], narrow: boolean): string {
  if (lag === null) return "?";
  return lag.deltas === 0 || narrow ? short(lag.deltas) : `${short(lag.deltas)} · ${duration(lag.ageSeconds).replace(/ \d+ (s|min)$/, "")}`;
}

function box(app: App, seen: Snapshot, place: Place, sizes: Sizes): Node {
  const db = seen.databases.find(({ name }) => name === place.name);
  const disk = db?.deltas?.note ?? null;
  const spoken = `Database ${place.name}${db === undefined ? "" : `, ${db.place}`}${db?.status === "inactive" ? ", inactive" : ""}${disk === null ? "" : `, ${disk}`}: show its syncs`;
  const show = (event: Event): void => {
    event.preventDefault();
    app.setUi("search", place.name);
  };
  return h(
    "a",
    {
      key: `db ${place.name}`,
      href: "#/",
      class: `db ${db?.status === "inactive" ? "inactive" : ""} ${disk === null ? "" : "noted"}`,
      "aria-label": spoken,
      on: { click: show },
    },
    h("title", {}, spoken),
    h("rect", { x: place.x + PAD, y: place.y + PAD, width: sizes.boxWidth, height: place.height, rx: 8 }),
  );
}

function boxText(seen: Snapshot, place: Place, sizes: Sizes): Node {
  const db = seen.databases.find(({ name }) => name === place.name);
  const small = sizes.boxHeight < 40;
  const room = sizes.boxWidth - (small ? 14 : 24);
  const [x, y] = [place.x + PAD + (small ? 7 : 12), place.y + PAD + (place.height - sizes.boxHeight) / 2];
  return h(
    "g",
    { key: `db ${place.name}` },
    h("text", { class: `db-name ${small ? "small" : ""}`, x, y: y + 19 }, clip(place.name, Math.floor(room / (small ? 7.4 : 8.8)))),
    !small &&
      h(
        "text",
        { class: "db-place", x, y: y + 35 },
        clip(db?.status === "inactive" ? "inactive" : (db?.place ?? ""), Math.floor(room / 7.2)),
      ),
  );
}

function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** The layout begins at 0, the picture has a margin. */
function shifted(path: string): string {
  return path.replace(/-?\d+(\.\d+)?/g, (number) => rounded(Number(number) + PAD));
}

function rounded(number: number): string {
  return String(Math.round(number * 10) / 10);
}
