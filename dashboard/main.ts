import { h, type Child } from "./dom/node.ts";
import { Patcher } from "./dom/patch.ts";
import { App } from "./state/app.ts";
import { routeOf } from "./state/route.ts";
import { Stream } from "./state/stream.ts";
import { takeTokenFromAddress } from "./state/token.ts";
import { frame } from "./views/frame.ts";
import { movePage } from "./views/move.ts";
import { overview } from "./views/overview.ts";
import { settingsPage } from "./views/settings.ts";
import { syncPage } from "./views/sync.ts";

takeTokenFromAddress();

const patcher = new Patcher(document.getElementById("page")!);
const said = document.getElementById("said")!;
const app = new App(draw, announce);
const narrow = matchMedia("(max-width: 700px)");
let titled = "";

function draw(): void {
  app.resources.begin();
  patcher.draw(frame(app, ...content()));
  app.resources.end();
  const title = titleNow();
  if (title !== document.title) document.title = title;
}

function content(): readonly Child[] {
  const { seen, route } = app;
  if (seen === null)
    return [
      h("h1", { key: "title", tabindex: -1, class: "unseen" }, "Bucardo"),
      h("p", { key: "wait", class: "quiet" }, app.connection.state === "connecting" ? "Connecting…" : "Nothing was seen yet."),
    ];
  if (route.page === "move" || !seen.site.hasControl) return movePage(app, seen);
  if (route.page === "sync") return syncPage(app, seen, route.sync);
  return route.page === "settings" ? settingsPage(app, seen) : overview(app, seen);
}

function titleNow(): string {
  const { route, seen } = app;
  const bad = seen?.syncs.filter(({ word }) => word === "Stopped" || word === "Bad").length ?? 0;
  const place = route.page === "sync" ? route.sync : { overview: "Overview", move: "Move", settings: "Settings" }[route.page];
  return `${bad > 0 ? `(${bad}) ` : ""}${place} · Bucardo`;
}

/** The same words twice in a row are heard twice only when the place was empty between. */
function announce(text: string): void {
  said.textContent = "";
  setTimeout(() => (said.textContent = text), 50);
}

addEventListener("hashchange", () => {
  takeTokenFromAddress();
  app.go(routeOf(location.hash));
  // Where the eye goes the focus goes: to the heading of the new page.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const place = JSON.stringify(app.route);
      if (place === titled) return;
      titled = place;
      scrollTo(0, 0);
      document.querySelector<HTMLElement>("main h1")?.focus();
    }),
  );
});
titled = JSON.stringify(app.route);

narrow.addEventListener("change", () => app.setUi("narrow", narrow.matches));
app.setUi("narrow", narrow.matches);
app.useTheme(localStorage.getItem("bucardo-theme") ?? "auto");

const stream = new Stream({ event: (event) => app.heard(event), state: (state) => app.connected(state) });
app.whenReconnect(() => stream.again());
// Ages and times go on though nothing happens.
setInterval(() => app.changed(), 5000);
void stream.run();
