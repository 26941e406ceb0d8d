import { h, type Child, type Node } from "../dom/node.ts";
import { badge, button, section } from "../parts/parts.ts";
import { get, post } from "../state/api.ts";
import type { App } from "../state/app.ts";
import type { SyncHealth } from "../state/health.ts";
import { token } from "../state/token.ts";
import { clock } from "../words.ts";
import { fetched } from "./fetched.ts";
import { image } from "./image.ts";
import { reveal } from "./reveal.ts";

type Side = { readonly db: string; readonly at: string | null; readonly image: Readonly<Record<string, string | null>> | null };

/** As `list conflict` tells it. */
type Conflict = {
  readonly number: number;
  readonly table: string;
  readonly kind: "row" | "unique" | "foreign_key";
  readonly columns: readonly string[];
  readonly key: readonly string[];
  /** Of the row that it met. */
  readonly otherKey: readonly string[];
  readonly incoming: Side;
  readonly local: Side;
  /** null: nobody. */
  readonly winner: string | null;
  readonly why: string;
  readonly decided: string;
  readonly replayed: string | null;
};

const LIMIT = 50;
const KINDS = { row: "changed on both", unique: "one unique value", foreign_key: "deleted and referred to" } as const;

/** Rows that were changed on several sources: both as they were, and which one stayed. Shown to whoever asks and has the token. */
export function conflictSection(app: App, { sync }: SyncHealth): Child {
  if (sync.sources.length < 2) return null;
  const key = `conflicts ${sync.name}`;
  const open = app.ui(key, false) && token() !== null;
  return section("conflicts-title", "Conflicts", null, open ? conflicts(app, sync.name) : reveal(app, key, "Show the conflicts"));
}

function conflicts(app: App, sync: string): Node {
  const list = (signal: AbortSignal): Promise<{ readonly conflicts: readonly Conflict[] }> =>
    get("list/conflict", { words: sync, limit: LIMIT }, signal);
  const found = app.resources.use(`conflicts ${sync}`, async (signal) => (await list(signal)).conflicts, String(token()?.length), 10_000);
  return fetched(app, found, (all) =>
    h("ul", { class: "rows" }, ...all.map((conflict) => h("li", { key: conflict.number }, one(app, conflict)))),
  );
}

function one(app: App, { number, table, kind, columns, key, otherKey, incoming, local, winner, why, decided, replayed }: Conflict): Node {
  const named = (values: readonly string[]): string => columns.map((column, index) => `${column} = ${values[index] ?? "?"}`).join(", ");
  const row = kind === "unique" ? `${named(key)} met ${named(otherKey)}` : named(key);
  const replay = (db: string): void =>
    void app.act(`conflict ${number}`, async () => {
      await post("replay/conflict", { numbers: [String(number)], db });
      return `The row as ${db} had it is written back.`;
    });
  const losers = [incoming.db, local.db].filter((db) => db !== winner);
  return h(
    "article",
    { class: "row-card", "aria-label": `${table}, ${row}` },
    h(
      "div",
      { class: "row-head" },
      badge(winner === null ? "warn" : "off", winner === null ? "Nobody won" : `${winner} won`),
      h("span", { class: "strong" }, table),
      h("code", {}, row),
      h("span", { class: "quiet" }, `${KINDS[kind]}, ${clock(decided, Date.now())}`),
    ),
    h("p", {}, why, replayed !== null && h("span", { class: "quiet" }, `; written back ${clock(replayed, Date.now())}`)),
    h(
      "details",
      {},
      h("summary", {}, "Both rows"),
      image([incoming, local].map(({ db, at, image: values }) => ({ name: at === null ? db : `${db}, ${clock(at, Date.now())}`, values }))),
      h(
        "div",
        { class: "buttons" },
        ...losers.map((db) => button(`Write back the row of ${db}`, () => replay(db), { busy: app.busy.has(`conflict ${number}`) })),
      ),
    ),
  );
}
