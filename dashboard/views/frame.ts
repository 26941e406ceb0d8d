import { h, type Child, type Node } from "../dom/node.ts";
import type { App } from "../state/app.ts";
import { hrefOf, type Route } from "../state/route.ts";
import { token } from "../state/token.ts";
import { mark } from "../parts/parts.ts";
import { rich } from "../parts/rich.ts";
import { ago } from "../words.ts";
import { dialog } from "./dialogs.ts";

/** What surrounds every page: name, ways, daemon, connection; and what stands before it. */
export function frame(app: App, ...content: readonly Child[]): Node[] {
  return [
    h("a", { key: "skip", class: "skip", href: "#main", on: { click: skip } }, "Skip to the content"),
    h(
      "header",
      { key: "header", class: "top" },
      h(
        "div",
        { class: "top-row" },
        h("a", { class: "brand", href: "#/", "aria-label": "Bucardo, overview" }, logo(), "Bucardo"),
        ways(app),
        h("div", { class: "top-end" }, daemon(app), ownToken(app), theme(app)),
      ),
    ),
    h("div", { key: "banner", class: "banner-place", role: "status" }, banner(app)),
    h("main", { key: "main", id: "main", tabindex: -1 }, said(app), ...content),
    h("footer", { key: "footer", class: "foot" }, footer(app)),
    h("div", { key: "dialog" }, dialog(app)),
  ];
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function logo(): Node {
  return h("img", { src: "icon.svg", width: 22, height: 22, alt: "" });
}

function ways(app: App): Node {
  const { seen, route } = app;
  const way = (to: Route, label: string): Node =>
    h("a", { key: label, href: hrefOf(to), "aria-current": here(route, to) ? "page" : null }, label);
  return h(
    "nav",
    { "aria-label": "Pages" },
    seen?.site.hasControl !== false && way({ page: "overview" }, "Overview"),
    seen?.site.hasMigration === true && way({ page: "move" }, "Move"),
    seen?.site.hasControl !== false && way({ page: "settings" }, "Settings"),
  );
}

function here(route: Route, to: Route): boolean {
  return route.page === to.page || (route.page === "sync" && to.page === "overview");
}

function daemon({ seen }: App): Child {
  if (seen === null || seen.daemon === null) return null;
  const { state, pid, host, started } = seen.daemon;
  if (state === "up")
    return h(
      "span",
      { class: "daemon", title: `pid ${pid ?? "?"} on ${host ?? "?"}` },
      mark("good"),
      "Daemon up",
      started !== null && h("span", { class: "wide quiet" }, ` since ${ago(started, Date.now()).replace(" ago", "")}`),
    );
  return h(
    "span",
    { class: "daemon" },
    mark(state === "starting" ? "busy" : "bad"),
    state === "starting" ? "Daemon starting" : "Daemon off",
  );
}

function ownToken(app: App): Node {
  const has = token() !== null;
  return h(
    "button",
    { type: "button", class: "plain", on: { click: () => (has ? app.useToken(null) : app.ask({ kind: "token", next: null })) } },
    has ? "Forget token" : "Enter token",
  );
}

const THEMES = { auto: "As the system", light: "Light", dark: "Dark" } as const;
type Theme = keyof typeof THEMES;

function theme(app: App): Node {
  const now = app.ui<Theme>("theme", "auto");
  return h(
    "select",
    {
      class: "theme",
      "aria-label": "Colours",
      value: now,
      on: { change: (event: Event) => app.useTheme((event.target as HTMLSelectElement).value) },
    },
    ...Object.entries(THEMES).map(([value, label]) => h("option", { value, key: value }, label)),
  );
}

function banner(app: App): Child {
  const { connection, seen } = app;
  if (connection.state === "lost")
    return h(
      "div",
      { class: "banner" },
      mark("warn"),
      h(
        "span",
        {},
        `Not connected${seen === null ? "" : `; what stands here is of ${new Date(seen.at).toTimeString().slice(0, 8)}`}. It is tried again by itself.`,
      ),
      h("button", { type: "button", class: "plain", on: { click: () => app.retryNow() } }, "Try now"),
    );
  if (connection.state === "token")
    return h(
      "div",
      { class: "banner" },
      mark("warn"),
      h("span", {}, "Reading needs the token of this server."),
      h("button", { type: "button", class: "plain", on: { click: () => app.ask({ kind: "token", next: null }) } }, "Enter it"),
    );
  const trouble = seen?.trouble.control ?? seen?.trouble.migration ?? null;
  return trouble === null
    ? null
    : h("div", { class: "banner" }, mark("warn"), h("span", {}, rich(`${trouble.message} What stands here may be old. ${trouble.advice}`)));
}

function said(app: App): Child {
  const { said: what } = app;
  return h(
    "div",
    { key: "said", class: "said-place", role: what?.tone === "bad" ? "alert" : "status" },
    what !== null &&
      h(
        "div",
        { class: `callout ${what.tone}` },
        mark(what.tone),
        h("div", {}, h("p", { class: "callout-title" }, what.text), what.advice !== "" && h("p", { class: "advice" }, rich(what.advice))),
        h("button", { type: "button", class: "plain", "aria-label": "Close this message", on: { click: () => app.hush() } }, "×"),
      ),
  );
}

function footer({ seen }: App): Child {
  return seen === null
    ? null
    : [
        `Bucardo ${seen.site.version}`,
        h("a", { key: "api", href: "openapi.json" }, "API"),
        h("a", { key: "metrics", href: "metrics" }, "Metrics"),
      ];
}
