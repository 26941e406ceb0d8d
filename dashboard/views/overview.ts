import type { Samples, Snapshot } from "../../src/http/page-types.ts";
import { h, type Child, type Node } from "../dom/node.ts";
import { picture } from "../graph/picture.ts";
import { badge, choice, mark, section } from "../parts/parts.ts";
import { rich } from "../parts/rich.ts";
import { table } from "../parts/table.ts";
import { get } from "../state/api.ts";
import type { App } from "../state/app.ts";
import { healthOf, passes, FILTERS, type Filter, type SyncHealth, type Tone } from "../state/health.ts";
import { hrefOf } from "../state/route.ts";
import { ago, count, counted, duration, short, size } from "../words.ts";

export function overview(app: App, seen: Snapshot): Node[] {
  const all = healthOf(seen);
  const found = narrowed(app, seen, all);
  return [
    h("h1", { key: "title", tabindex: -1, class: "unseen" }, "Overview"),
    headline(app, seen, all),
    section("picture-title", "Who feeds whom", legend(), picture(app, seen, found)),
    section(
      "syncs-title",
      "Syncs",
      h("span", { class: "quiet" }, found.length === all.length ? count(all.length) : `${count(found.length)} of ${count(all.length)}`),
      controls(app, all),
      syncTable(app, found),
    ),
    h("div", { key: "two", class: "two" }, databases(app, seen), groups(app, seen)),
  ];
}

/** The whole in one sentence. */
function headline(app: App, seen: Snapshot, all: readonly SyncHealth[]): Node {
  const attention = all.filter((one) => passes(one, "attention")).length;
  const off = seen.daemon?.state === "off";
  const resting = all.filter(({ tone }) => tone === "off").length;
  const [tone, text]: [Tone, string] = off
    ? ["bad", "The daemon is not running: nothing is carried."]
    : all.length === 0
      ? ["off", "No syncs yet. `bucardo add sync` makes one."]
      : attention > 0
        ? ["bad", `${attention} of ${counted(all.length, "sync")} ${attention === 1 ? "needs" : "need"} you.`]
        : [
            "good",
            all.length === 1
              ? "The sync is in order."
              : `All ${all.length} syncs are in order${resting > 0 ? `, ${resting} of them resting` : ""}.`,
          ];
  const lags = all.flatMap(({ lag }) => (lag === null ? [] : [lag]));
  const deltas = Math.max(0, ...lags.map((lag) => lag.deltas));
  const oldest = Math.max(0, ...lags.map((lag) => lag.ageSeconds));
  const rate = rateOf(app);
  return h(
    "div",
    { key: "headline", class: "headline" },
    h("p", { class: "headline-text" }, mark(tone), h("span", {}, rich(text))),
    h(
      "dl",
      { class: "numbers" },
      number("Most deltas waiting", lags.length === 0 ? "?" : short(deltas)),
      number("Oldest", deltas === 0 ? (lags.length === 0 ? "?" : "none") : duration(oldest)),
      number("Rows per second", rate === null ? "?" : short(rate)),
    ),
  );
}

/** Of all syncs, over the last whole step of the history; null: not known. */
function rateOf(app: App): number | null {
  const { data } = app.resources.use<Samples>("samples of all", (signal) => get("list/samples", { span: "1h" }, signal), "", 10_000);
  const point = data?.series[0]?.points.at(-1);
  return data === null || point === undefined ? null : point[3] / data.stepSeconds;
}

function number(name: string, value: string): Node {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

function legend(): Node {
  const entries: [Tone, string][] = [
    ["good", "in step"],
    ["busy", "running"],
    ["warn", "look at it"],
    ["bad", "stopped or failing"],
    ["off", "resting"],
  ];
  return h(
    "ul",
    { class: "legend", "aria-label": "Meaning of the colours" },
    ...entries.map(([tone, word]) => h("li", { key: tone }, mark(tone), word)),
  );
}

function narrowed(app: App, seen: Snapshot, all: readonly SyncHealth[]): readonly SyncHealth[] {
  const search = app.ui("search", "").trim().toLowerCase();
  const filter = app.ui<Filter>("filter", "all");
  const between = app.ui<{ from: string; to: string } | null>("between", null);
  const group = app.ui("group", "");
  const members = new Set(seen.groups.find(({ name }) => name === group)?.members.map(({ db }) => db));
  return all.filter((one) => {
    const { sync } = one;
    const words = [sync.name, sync.relgroup, sync.dbgroup, ...sync.sources, ...sync.targets];
    return (
      passes(one, filter) &&
      (search === "" || words.some((word) => word.toLowerCase().includes(search))) &&
      (between === null || (sync.sources.includes(between.from) && [...sync.targets, ...sync.sources].includes(between.to))) &&
      (group === "" || sync.dbgroup === group || [...sync.sources, ...sync.targets].every((db) => members.has(db)))
    );
  });
}

const FILTER_WORDS: Readonly<Record<Filter, string>> = {
  all: "All",
  attention: "Need you",
  running: "Running",
  good: "Good",
  resting: "Resting",
};

function controls(app: App, all: readonly SyncHealth[]): Node {
  const between = app.ui<{ from: string; to: string } | null>("between", null);
  return h(
    "div",
    { class: "controls" },
    h(
      "label",
      { class: "search" },
      h("span", { class: "unseen" }, "Find a sync, database or group"),
      h("input", {
        type: "search",
        placeholder: "Find a sync, database or group",
        value: app.ui("search", ""),
        on: { input: (event: Event) => app.setUi("search", (event.target as HTMLInputElement).value) },
      }),
    ),
    choice(
      app,
      "filter",
      "Which syncs",
      FILTERS.map((value) => ({ value, label: FILTER_WORDS[value], count: all.filter((one) => passes(one, value)).length })),
      "all",
    ),
    between !== null &&
      h(
        "button",
        { type: "button", class: "chip", on: { click: () => app.setUi("between", null) } },
        `${between.from} → ${between.to} `,
        h("span", { "aria-hidden": "true" }, "×"),
        h("span", { class: "unseen" }, "(show all again)"),
      ),
    app.ui("group", "") !== "" &&
      h(
        "button",
        { type: "button", class: "chip", on: { click: () => app.setUi("group", "") } },
        `group ${app.ui("group", "")} `,
        h("span", { "aria-hidden": "true" }, "×"),
        h("span", { class: "unseen" }, "(show all again)"),
      ),
  );
}

const RANK: Readonly<Record<Tone, number>> = { bad: 0, warn: 1, busy: 2, good: 3, off: 4 };

function syncTable(app: App, rows: readonly SyncHealth[]): Node {
  if (rows.length === 0) return h("p", { class: "quiet" }, "None that fits.");
  return table(app, "syncs", {
    label: "Syncs",
    rows,
    keyOf: ({ sync }) => sync.name,
    order: "state",
    columns: [
      {
        name: "state",
        head: "State",
        order: ({ tone, sync }) => `${RANK[tone]} ${sync.name}`,
        cell: ({ tone, sync, setAside }) => badge(tone, tone === "warn" && setAside > 0 ? "Set aside" : sync.word),
      },
      { name: "name", head: "Sync", order: ({ sync }) => sync.name, cell: nameCell },
      {
        name: "deltas",
        head: "Waiting",
        number: true,
        order: ({ lag }) => lag?.deltas ?? -1,
        cell: ({ lag }) =>
          lag === null
            ? "?"
            : [short(lag.deltas), lag.deltas > 0 && h("span", { key: "age", class: "under narrow" }, duration(lag.ageSeconds))],
      },
      {
        name: "age",
        head: "Age",
        number: true,
        wide: true,
        order: ({ lag }) => lag?.ageSeconds ?? -1,
        cell: ({ lag }) => (lag === null || lag.deltas === 0 ? "" : duration(lag.ageSeconds)),
      },
      {
        name: "rate",
        head: "Rows/s",
        number: true,
        wide: true,
        order: ({ rate }) => rate ?? -1,
        cell: ({ rate }) => (rate === null ? "" : short(rate)),
      },
      {
        name: "tables",
        head: "Tables",
        number: true,
        wide: true,
        order: ({ sync }) => sync.tables,
        cell: ({ sync }) => count(sync.tables),
      },
      {
        name: "ran",
        head: "Last run",
        wide: true,
        order: ({ lastRun }) => lastRun ?? "",
        cell: ({ lastRun }) => (lastRun === null ? "never" : ago(lastRun, Date.now())),
      },
    ],
  });
}

function nameCell({ sync, trouble, setAside }: SyncHealth): Child {
  return [
    h("a", { key: "name", href: hrefOf({ page: "sync", sync: sync.name }), class: "strong" }, sync.name),
    h("span", { key: "way", class: "under" }, `${sync.sources.join(", ")} → ${sync.targets.join(", ")}`),
    trouble !== null && h("span", { key: "trouble", class: "under bad" }, trouble),
    setAside > 0 && h("span", { key: "aside", class: "under warn" }, `${counted(setAside, "row")} set aside`),
  ];
}

function databases(app: App, seen: Snapshot): Node {
  return section(
    "databases-title",
    "Databases",
    h("span", { class: "quiet" }, count(seen.databases.length)),
    seen.databases.length === 0
      ? h("p", { class: "quiet" }, rich("None yet. `bucardo add db` registers one."))
      : table(app, "databases", {
          label: "Databases",
          rows: seen.databases,
          keyOf: ({ name }) => name,
          columns: [
            {
              name: "name",
              head: "Name",
              order: ({ name }) => name,
              cell: ({ name, place, status, deltas }) => [
                h("span", { key: "n", class: "strong" }, name),
                h("span", { key: "p", class: "under" }, place),
                status === "inactive" && h("span", { key: "s", class: "under" }, "inactive"),
                typeof deltas?.note === "string" && h("span", { key: "t", class: "under warn" }, deltas.note),
              ],
            },
            {
              name: "disk",
              head: "Disk of deltas",
              number: true,
              order: ({ deltas }) => deltas?.bytes ?? -1,
              cell: ({ deltas }) => (deltas === null ? "" : size(deltas.bytes)),
            },
            {
              name: "left",
              head: "Quota in",
              number: true,
              order: ({ deltas }) => deltas?.secondsLeft ?? Infinity,
              cell: ({ deltas }) => (typeof deltas?.secondsLeft !== "number" ? "" : duration(deltas.secondsLeft)),
            },
          ],
        }),
  );
}

function groups(app: App, seen: Snapshot): Node {
  return section(
    "groups-title",
    "Groups",
    h("span", { class: "quiet" }, count(seen.groups.length)),
    seen.groups.length === 0
      ? h("p", { class: "quiet" }, "None.")
      : h(
          "ul",
          { class: "groups" },
          ...seen.groups.map(({ name, members }) =>
            h(
              "li",
              { key: name },
              h(
                "button",
                { type: "button", class: "link strong", title: "Show its syncs", on: { click: () => app.setUi("group", name) } },
                name,
              ),
              h("span", { class: "under" }, members.map(({ db, role }) => `${db} (${role})`).join(", ") || "empty"),
            ),
          ),
        ),
  );
}
