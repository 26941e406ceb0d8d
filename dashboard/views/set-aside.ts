import { h, type Child, type Node } from "../dom/node.ts";
import { badge, button, section } from "../parts/parts.ts";
import { get, post } from "../state/api.ts";
import type { App } from "../state/app.ts";
import type { SyncHealth } from "../state/health.ts";
import { token } from "../state/token.ts";
import { clock, counted } from "../words.ts";
import { fetched } from "./fetched.ts";
import { image } from "./image.ts";
import { reveal } from "./reveal.ts";

/** A row that a target refused, or that had to give way; as `list set-aside` tells it. */
type Aside = {
  readonly id: number;
  readonly target: string;
  readonly table: string;
  readonly kind: "refused" | "overwritten";
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly image: Readonly<Record<string, string | null>> | null;
  readonly sqlstate: string;
  readonly message: string;
  readonly noted: string;
  readonly replay: boolean;
};

const MOST = 100;

/** Only where rows are set aside; they are values of people's tables, so they are shown when somebody asks and has the token. */
export function setAsideSection(app: App, { sync, setAside }: SyncHealth): Child {
  if (setAside === 0 && sync.onError === "stop") return null;
  const open = app.ui(`aside ${sync.name}`, false);
  return section(
    "aside-title",
    "Rows set aside",
    h("span", { class: "quiet" }, counted(setAside, "row")),
    !open || token() === null ? reveal(app, `aside ${sync.name}`, "Show the rows") : rows(app, sync.name, setAside),
  );
}

function rows(app: App, sync: string, count: number): Node {
  const list = (signal: AbortSignal): Promise<{ readonly rows: readonly Aside[] }> => get("list/set-aside", { words: sync }, signal);
  const found = app.resources.use(`aside ${sync}`, async (signal) => (await list(signal)).rows, `${count} ${token()?.length}`);
  return fetched(app, found, (all) =>
    h(
      "div",
      {},
      h("ul", { class: "rows" }, ...all.slice(0, MOST).map((row) => h("li", { key: row.id }, one(app, sync, row)))),
      all.length > MOST && h("p", { class: "quiet" }, `and ${all.length - MOST} more: bucardo list set-aside ${sync}`),
    ),
  );
}

function one(app: App, sync: string, row: Aside): Node {
  const key = row.columns.map((column, index) => `${column} = ${row.key[index] ?? "?"}`).join(", ");
  const act = (path: string, text: string): void =>
    void app.act(`${path} ${row.id}`, async () => {
      await post(path, { words: [sync, String(row.id)] });
      return text;
    });
  return h(
    "article",
    { class: "row-card", "aria-label": `${row.table}, ${key}` },
    h(
      "div",
      { class: "row-head" },
      badge(row.kind === "refused" ? "warn" : "off", row.kind === "refused" ? (row.replay ? "Tried again" : "Refused") : "Gave way"),
      h("span", { class: "strong" }, row.table),
      h("code", {}, key),
      h("span", { class: "quiet" }, `${row.target}, ${clock(row.noted, Date.now())}`),
    ),
    h("p", {}, `${row.message} (SQLSTATE ${row.sqlstate})`),
    row.image === null
      ? h("p", { class: "quiet" }, "The row itself was not kept.")
      : h("details", {}, h("summary", {}, "The row"), image([{ name: "Row", values: row.image }])),
    row.kind === "refused" &&
      h(
        "div",
        { class: "buttons" },
        button("Try again", () => act("replay", `Row ${row.id} goes with the next run.`), { busy: app.busy.has(`replay ${row.id}`) }),
        button("Discard", () => act("discard", `Row ${row.id} was discarded.`), {
          kind: "danger",
          busy: app.busy.has(`discard ${row.id}`),
        }),
      ),
  );
}
