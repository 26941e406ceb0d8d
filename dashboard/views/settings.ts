import type { Snapshot } from "../../src/http/page-types.ts";
import { h, type Child, type Node } from "../dom/node.ts";
import { choice, facts, section } from "../parts/parts.ts";
import { rich } from "../parts/rich.ts";
import { table } from "../parts/table.ts";
import { get } from "../state/api.ts";
import type { App } from "../state/app.ts";
import { clock, count } from "../words.ts";

type Setting = {
  readonly name: string;
  readonly value: string;
  readonly default: string;
  readonly changed: boolean;
  readonly meaning: string;
  readonly legacy: boolean;
};

/** Settings as they are; they are changed on the command line. */
export function settingsPage(app: App, seen: Snapshot): Node[] {
  const { data, refused } = app.resources.use<{ readonly settings: readonly Setting[] }>(
    "settings",
    (signal) => get("show", {}, signal),
    "",
    60_000,
  );
  return [
    h(
      "div",
      { key: "head", class: "page-head" },
      h(
        "div",
        {},
        h("h1", { tabindex: -1 }, "Settings"),
        h("p", { class: "way" }, rich("To be read here; `bucardo set NAME=VALUE` changes one.")),
      ),
    ),
    section("daemon-title", "Daemon", null, daemonFacts(seen)),
    section(
      "settings-title",
      "Settings",
      data !== null && h("span", { class: "quiet" }, `${count(data.settings.filter(({ changed }) => changed).length)} changed`),
      data === null ? h("p", { class: "quiet" }, refused?.error.message ?? "Loading…") : list(app, data.settings),
    ),
  ];
}

function daemonFacts({ daemon, site }: Snapshot): Child {
  const now = Date.now();
  if (daemon === null) return h("p", { class: "quiet" }, "No control database behind this page.");
  return facts(
    ["State", { up: "up", starting: "starting", off: "off" }[daemon.state]],
    ["Process", daemon.pid === null ? "none" : `pid ${daemon.pid} on ${daemon.host ?? "?"}`],
    daemon.started === null ? null : ["Started", clock(daemon.started, now)],
    daemon.stopped === null ? null : ["Stopped", clock(daemon.stopped, now)],
    daemon.reason === null ? null : ["Reason", daemon.reason],
    ["Version", daemon.version ?? site.version],
  );
}

function list(app: App, settings: readonly Setting[]): Child {
  const search = app.ui("setting search", "").toLowerCase();
  const which = app.ui<"all" | "changed">("setting which", "all");
  const rows = settings.filter(
    ({ name, meaning, changed }) => (which === "all" || changed) && `${name} ${meaning}`.toLowerCase().includes(search),
  );
  return [
    h(
      "div",
      { class: "controls", key: "controls" },
      h(
        "label",
        { class: "search" },
        h("span", { class: "unseen" }, "Find a setting"),
        h("input", {
          type: "search",
          placeholder: "Find a setting",
          value: app.ui("setting search", ""),
          on: { input: (event: Event) => app.setUi("setting search", (event.target as HTMLInputElement).value) },
        }),
      ),
      choice(
        app,
        "setting which",
        "Which settings",
        [
          { value: "all", label: "All" },
          { value: "changed", label: "Changed" },
        ],
        "all",
      ),
    ),
    rows.length === 0
      ? h("p", { class: "quiet", key: "none" }, "None that fits.")
      : table(app, "settings", {
          label: "Settings",
          rows,
          keyOf: ({ name }) => name,
          columns: [
            {
              name: "name",
              head: "Name",
              order: ({ name }) => name,
              cell: ({ name, meaning, legacy }) => [
                h("code", { key: "n" }, name),
                h("span", { key: "m", class: "under" }, legacy ? "without meaning here" : meaning),
              ],
            },
            {
              name: "value",
              head: "Value",
              cell: ({ value, changed }) => h("span", { class: changed ? "strong" : "" }, value === "" ? "(empty)" : value),
            },
            {
              name: "default",
              head: "Default",
              wide: true,
              cell: ({ value, default: initial, changed }) =>
                h("span", { class: "quiet" }, changed ? (initial === "" ? "(empty)" : initial) : value === initial ? "" : initial),
            },
          ],
        }),
  ];
}
