import type { Samples, Snapshot } from "../../src/http/page-types.ts";
import { h, type Child, type Node } from "../dom/node.ts";
import { badge, bar, button, callout, choice, facts, section } from "../parts/parts.ts";
import { table } from "../parts/table.ts";
import { plot } from "../plot/plot.ts";
import { get, post } from "../state/api.ts";
import type { App } from "../state/app.ts";
import { failureOf, syncHealth, toneOf, type SyncHealth } from "../state/health.ts";
import { ago, count, counted, duration, lagText, short, size } from "../words.ts";
import { conflictSection } from "./conflicts.ts";
import { runSections } from "./runs.ts";
import { setAsideSection } from "./set-aside.ts";

export function syncPage(app: App, seen: Snapshot, name: string): Child[] {
  const sync = seen.syncs.find((one) => one.name === name);
  if (sync === undefined)
    return [
      h("h1", { key: "title", tabindex: -1 }, name),
      h("p", { key: "none" }, "There is no sync of this name (any more). ", h("a", { href: "#/" }, "Overview")),
    ];
  const of = syncHealth(
    sync,
    seen.targets.filter((target) => target.sync === name),
  );
  return [
    h("nav", { key: "back", "aria-label": "Back", class: "back" }, h("a", { href: "#/" }, "Overview")),
    h(
      "div",
      { key: "head", class: "page-head" },
      h(
        "div",
        {},
        h("h1", { tabindex: -1 }, sync.name),
        h("p", { class: "way" }, `${sync.sources.join(", ")} → ${sync.targets.join(", ") || "no target"}`),
      ),
      badge(of.tone === "warn" && of.setAside > 0 ? "warn" : toneOf(sync.word), sync.word),
      actions(app, of),
    ),
    ...troubles(of),
    h("div", { key: "two", class: "two" }, section("targets-title", "Targets", null, targetTable(app, of)), about(of)),
    plots(app, name),
    ...runSections(app, of),
    setAsideSection(app, of),
    conflictSection(app, of),
  ];
}

function actions(app: App, { sync }: SyncHealth): Node {
  const syncs = [sync.name];
  const act = (verb: string, path: string, text: (output: never) => string): void =>
    void app.act(`${verb} ${sync.name}`, async () => text(await post<never>(path, { syncs })));
  const one = (verb: string, label: string, path: string, text: (output: never) => string, kind = ""): Node =>
    button(label, () => act(verb, path, text), { kind, busy: app.busy.has(`${verb} ${sync.name}`) });
  const told = ({ messages }: { readonly messages: readonly string[] }): string => messages.join(" ");
  return h(
    "div",
    { class: "buttons", role: "group", "aria-label": "Actions" },
    one(
      "kick",
      "Kick",
      "kick",
      ({ syncs: [result] }: { readonly syncs: readonly { readonly outcome: string }[] }) =>
        result?.outcome === "refused" ? "Not kicked: the sync is paused or inactive." : "Kicked: it runs now.",
      "main",
    ),
    sync.paused ? one("resume", "Resume", "resume", told) : one("pause", "Pause", "pause", told),
    one("validate", "Validate", "validate", validated),
    sync.status === "inactive" && one("activate", "Activate", "activate", told),
  );
}

type Validated = {
  readonly syncs: readonly {
    readonly ok: boolean;
    readonly problems: readonly { readonly what: string }[];
    readonly done: readonly string[];
  }[];
};

function validated({ syncs: [result] }: Validated): string {
  if (result === undefined) return "Validated.";
  const found = result.problems.map(({ what }) => what).join("; ");
  if (!result.ok) throw new Error(`Not in order: ${found}`);
  return ["Everything is in order.", found, ...result.done].filter((text) => text !== "").join(" ");
}

function troubles({ sync, targets }: SyncHealth): Node[] {
  const ready = sync.ready ? [] : [h("div", { key: "ready" }, callout("warn", "Capture is not complete.", null, "Validate finishes it."))];
  const failed = targets.flatMap((target) => {
    const failure = failureOf(target);
    if (failure === null || (target.state === "Idle" && target.running !== null)) return [];
    const { sqlstate, message, advice } = failure;
    const title = `${target.target}: ${message}${sqlstate === undefined || message.includes(sqlstate) ? "" : ` (SQLSTATE ${sqlstate})`}`;
    return [
      h(
        "div",
        { key: target.id },
        callout(
          "bad",
          title,
          target.state === "Waiting" ? "It is tried again by itself." : target.state === "Stopped" ? "It waits for you." : null,
          advice,
        ),
      ),
    ];
  });
  return [...ready, ...failed];
}

function targetTable(app: App, { targets }: SyncHealth): Node {
  return table(app, "targets", {
    label: "Targets",
    rows: targets,
    keyOf: ({ id }) => id,
    columns: [
      {
        name: "name",
        head: "Target",
        cell: ({ target, running, copy }) => [
          h("span", { key: "n", class: "strong" }, target),
          running !== null && h("span", { key: "r", class: "under" }, progressText(running)),
          copy !== null && copyBar(copy),
        ],
      },
      {
        name: "state",
        head: "State",
        cell: (one) =>
          badge(
            one.running !== null
              ? "busy"
              : one.state === "Idle"
                ? failureOf(one) === null
                  ? "good"
                  : "bad"
                : one.state === "Paused" || one.state === null
                  ? "off"
                  : "bad",
            one.running !== null ? "Running" : (one.state ?? "Not run"),
          ),
      },
      { name: "lag", head: "Lag", cell: ({ lag }) => lagText(lag) },
      {
        name: "good",
        head: "Last good",
        wide: true,
        cell: ({ lastGood }) =>
          lastGood === null ? "never" : `${ago(lastGood.ended, Date.now())}, ${counted(lastGood.upserted + lastGood.deleted, "row")}`,
      },
    ],
  });
}

/** Large tables on their way in pieces, beside the runs. */
function copyBar(copy: NonNullable<Snapshot["targets"][number]["copy"]>): Node {
  const { tables, tablesDone, diskBytes, diskBytesDone, bytesPerSecond, secondsLeft, paused, active } = copy;
  const words = [
    `copy: ${size(diskBytesDone)} of ${size(diskBytes)}, ${count(tablesDone)} of ${counted(tables, "table")}`,
    paused ? "paused" : `${size(bytesPerSecond)}/s`,
    secondsLeft === null || paused ? null : `${duration(secondsLeft)} left`,
    active.length === 0 ? null : active.join(", "),
  ].filter((part) => part !== null);
  return h(
    "div",
    { key: "copy" },
    bar("Copy of large tables", diskBytes === 0 ? null : diskBytesDone / diskBytes),
    h("span", { class: "under" }, words.join(", ")),
  );
}

function progressText(running: NonNullable<Snapshot["targets"][number]["running"]>): string {
  const { step, table: name, rowsDone, rowsExpected, rate } = running;
  const rows =
    rowsExpected !== null && rowsExpected >= rowsDone ? `${count(rowsDone)} of ${count(rowsExpected)} rows` : `${count(rowsDone)} rows`;
  const left =
    rate !== null && rate > 0 && rowsExpected !== null && rowsExpected > rowsDone
      ? `, ${duration((rowsExpected - rowsDone) / rate)} left`
      : "";
  return `${[step, name].filter((part) => part !== null).join(" ")}: ${rows}${rate === null ? "" : `, ${short(rate)}/s`}${left}`;
}

function about({ sync }: SyncHealth): Node {
  return section(
    "about-title",
    "About",
    null,
    facts(
      ["Tables", `${count(sync.tables)}, group ${sync.relgroup}`],
      sync.sequences === 0 ? null : ["Sequences", count(sync.sequences)],
      ["Databases", `group ${sync.dbgroup}`],
      [
        "Runs",
        [sync.autokick ? "on change" : null, sync.checktime === null ? null : `every ${duration(sync.checktime)}`, "when kicked"]
          .filter((word) => word !== null)
          .join(", "),
      ],
      [
        "A refused row",
        { stop: "stops the target", overwrite: "overwrites what is in its way", set_aside: "is set aside" }[sync.onError] ?? sync.onError,
      ],
      sync.onetimecopy === 0 ? null : ["Copy", "whole tables with the next run"],
      sync.kicksWaiting === 0 ? null : ["Kicks waiting", count(sync.kicksWaiting)],
      sync.priority === 0 ? null : ["Priority", String(sync.priority)],
    ),
  );
}

const SPANS = [
  { value: "1h", label: "1 hour" },
  { value: "2d", label: "2 days" },
  { value: "90d", label: "90 days" },
] as const;

function plots(app: App, name: string): Node {
  const span = app.ui<(typeof SPANS)[number]["value"]>("span", "1h");
  const { data, refused } = app.resources.use<Samples>(
    `samples ${name} ${span}`,
    (signal) => get("list/samples", { sync: name, span }, signal),
    "",
    span === "1h" ? 10_000 : 60_000,
  );
  return section("plots-title", "Over time", choice(app, "span", "Span", SPANS, "1h"), plotsOf(app, data, refused?.error.message ?? null));
}

function plotsOf(app: App, data: Samples | null, refused: string | null): Child {
  if (data === null) return h("p", { class: "quiet" }, refused ?? "Loading…");
  const [begin, to] = [Date.parse(data.from) / 1000, Date.parse(data.to) / 1000];
  // What began lately fills the plot, too.
  const first = Math.min(to, ...data.series.flatMap(({ points }) => points.slice(0, 1).map(([at]) => at)));
  const from = to - first < (to - begin) / 2 ? Math.min(first, to - data.stepSeconds * 12) : begin;
  const series = (pick: (point: Samples["series"][number]["points"][number]) => number | null) =>
    data.series.map((one) => ({ name: one.target ?? "all", points: one.points.map((point) => [point[0], pick(point)] as const) }));
  const shared = { from, to, gapSeconds: data.gapSeconds };
  return h(
    "div",
    { class: "plots" },
    plot(app, "deltas", { ...shared, title: "Deltas waiting", series: series((point) => point[1]), show: short, unit: "count", least: 1 }),
    plot(app, "age", {
      ...shared,
      title: "Age of the oldest",
      series: series((point) => point[2]),
      show: duration,
      unit: "seconds",
      least: 0.1,
    }),
    plot(app, "rate", {
      ...shared,
      title: "Rows per second",
      series: series((point) => point[3] / data.stepSeconds),
      show: short,
      unit: "count",
      least: 1,
    }),
  );
}
